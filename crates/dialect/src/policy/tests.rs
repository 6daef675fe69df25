use std::net::IpAddr;

use media::Wall;

use super::{Access, Circumstances, Denied, Policy, PolicyError, StatementFault};

const ADD: &str = "live:AddLiveAppSnapshotConfig";
const DESCRIBE: &str = "live:DescribeLiveSnapshotConfig";
const HERE: &str = "acs:cdn:*:1:domain/live.example.com";
const THERE: &str = "acs:cdn:*:1:domain/other.example.com";

/// 2026-11-20T08:00:00Z, from 192.0.2.7, without TLS.
fn circumstances() -> Circumstances {
    Circumstances {
        now: Wall(1_795_161_600_000_000),
        secure: false,
        source: IpAddr::from([192, 0, 2, 7]),
        principal: "acs:ram::1:user/LTAI".to_owned(),
    }
}

fn decide(policy: &str, action: &str, resources: &[&str]) -> Result<(), Denied> {
    let resources: Vec<String> = resources.iter().map(|&resource| resource.to_owned()).collect();
    let circumstances = circumstances();
    Policy::parse(policy).unwrap().check(&Access {
        action,
        resources: &resources,
        circumstances: &circumstances,
    })
}

/// A document of these statements.
fn document(statements: &str) -> String {
    format!(r#"{{"Version":"1","Statement":[{statements}]}}"#)
}

/// Whether a document that allows everything under this condition allows something here and now.
fn condition(condition: &str) -> bool {
    let statement = format!(r#"{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{condition}}}"#);
    decide(&document(&statement), ADD, &[HERE]).is_ok()
}

#[track_caller]
fn refused(policy: &str, fault: StatementFault) {
    assert_eq!(Policy::parse(policy), Err(PolicyError::Statement { index: 1, fault }));
}

#[test]
fn full_may_everything_and_read_may_what_changes_nothing() {
    for action in [ADD, DESCRIBE, "live:snapshot:updateRule"] {
        assert_eq!(decide("full", action, &[HERE]), Ok(()));
    }
    for action in
        [DESCRIBE, "live:snapshot:listRules", "millrace:ListStreams", "live:QuerySnapshotCallbackAuth"]
    {
        assert_eq!(decide(" read\n", action, &[HERE]), Ok(()), "{action}");
    }
    for action in [ADD, "live:snapshot:createRule", "live:ForbidLiveStream", "live:"] {
        assert_eq!(decide("read", action, &[HERE]), Err(Denied::Implicitly), "{action}");
    }
}

#[test]
fn what_no_statement_allows_is_denied() {
    let policy = document(
        r#"{"Effect":"Allow","Action":"live:Add*","Resource":"acs:cdn:*:1:domain/live.example.com"}"#,
    );
    assert_eq!(decide(&policy, ADD, &[HERE]), Ok(()));
    assert_eq!(decide(&policy, "LIVE:addliveappsnapshotconfig", &[HERE]), Ok(()));
    assert_eq!(decide(&policy, ADD, &[THERE]), Err(Denied::Implicitly));
    assert_eq!(decide(&policy, DESCRIBE, &[HERE]), Err(Denied::Implicitly));
    assert_eq!(decide(&document(""), ADD, &[HERE]), Err(Denied::Implicitly));
}

#[test]
fn deny_wins_over_allow_wherever_it_stands() {
    let allow = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    let deny =
        r#"{"Effect":"Deny","Action":["live:Delete*","live:Add*"],"Resource":["acs:cdn:*:*:domain/live.*"]}"#;
    for policy in [document(&format!("{allow},{deny}")), document(&format!("{deny},{allow}"))] {
        assert_eq!(decide(&policy, ADD, &[HERE]), Err(Denied::Explicitly));
        assert_eq!(decide(&policy, ADD, &["acs:cdn:*:1:domain/LIVE.example.com"]), Err(Denied::Explicitly));
        assert_eq!(decide(&policy, ADD, &[THERE]), Ok(()));
        assert_eq!(decide(&policy, DESCRIBE, &[HERE]), Ok(()));
    }
}

#[test]
fn every_resource_of_a_request_must_be_allowed() {
    let policy =
        document(r#"{"Effect":"Allow","Action":"live:*","Resource":"acs:cdn:*:1:domain/live.example.com"}"#);
    assert_eq!(decide(&policy, ADD, &[HERE, THERE]), Err(Denied::Implicitly));
    assert_eq!(decide(&policy, ADD, &[]), Err(Denied::Implicitly));
}

#[test]
fn an_operation_without_resource_types_is_allowed_by_a_star_only() {
    let delete = "live:DeleteLiveAppSnapshotConfig";
    let all = document(r#"{"Effect":"Allow","Action":"live:*","Resource":"*"}"#);
    let one = document(r#"{"Effect":"Allow","Action":"live:*","Resource":"acs:cdn:*:1:domain/*"}"#);
    assert_eq!(decide(&all, delete, &["*"]), Ok(()));
    assert_eq!(decide(&one, delete, &["*"]), Err(Denied::Implicitly));
}

#[test]
fn not_action_is_everything_else() {
    let policy = document(r#"{"Effect":"Allow","NotAction":["live:Delete*","live:Forbid*"],"Resource":"*"}"#);
    assert_eq!(decide(&policy, ADD, &[HERE]), Ok(()));
    assert_eq!(decide(&policy, "live:ForbidLiveStream", &[HERE]), Err(Denied::Implicitly));
}

#[test]
fn conditions_compare_with_the_request() {
    for held in [
        r#"{"IpAddress":{"acs:SourceIp":"192.0.2.7"}}"#,
        r#"{"IpAddress":{"acs:SourceIp":["10.0.0.0/8","192.0.2.0/24"]}}"#,
        r#"{"IpAddress":{"acs:SourceIp":"0.0.0.0/0"}}"#,
        r#"{"NotIpAddress":{"acs:SourceIp":["10.0.0.0/8","2001:db8::/32"]}}"#,
        r#"{"Bool":{"acs:SecureTransport":"false"}}"#,
        r#"{"Bool":{"acs:SecureTransport":false,"acs:MFAPresent":"False"}}"#,
        r#"{"DateLessThan":{"acs:CurrentTime":"2026-11-20T16:00:01+08:00"}}"#,
        r#"{"DateGreaterThanEquals":{"acs:CurrentTime":"2026-11-20T08:00:00Z"}}"#,
        r#"{"DateGreaterThan":{"acs:CurrentTime":"2026-11-20T15:59+08:00"}}"#,
        r#"{"StringEquals":{"acs:PrincipalARN":["x","acs:ram::1:user/LTAI"]}}"#,
        r#"{"StringEqualsIgnoreCase":{"acs:principalarn":"ACS:RAM::1:user/ltai"}}"#,
        r#"{"StringLike":{"acs:PrincipalARN":"acs:ram::1:user/*"}}"#,
        r#"{"StringNotLike":{"acs:PrincipalARN":["acs:ram::2:*","acs:ram::3:*"]}}"#,
        r#"{}"#,
    ] {
        assert!(condition(held), "{held}");
    }
    for broken in [
        r#"{"IpAddress":{"acs:SourceIp":"192.0.3.0/24"}}"#,
        r#"{"NotIpAddress":{"acs:SourceIp":["10.0.0.0/8","192.0.2.0/24"]}}"#,
        r#"{"Bool":{"acs:SecureTransport":"true"}}"#,
        r#"{"DateLessThan":{"acs:CurrentTime":"2026-11-20T08:00:00Z"}}"#,
        r#"{"StringNotEquals":{"acs:PrincipalARN":["x","acs:ram::1:user/LTAI"]}}"#,
        // all keys and all operators must hold
        r#"{"Bool":{"acs:SecureTransport":"false","acs:MFAPresent":"true"}}"#,
        r#"{"Bool":{"acs:SecureTransport":"false"},"IpAddress":{"acs:SourceIp":"10.0.0.0/8"}}"#,
    ] {
        assert!(!condition(broken), "{broken}");
    }
}

#[test]
fn a_deny_whose_condition_does_not_hold_denies_nothing() {
    let policy = document(
        r#"{"Effect":"Allow","Action":"*","Resource":"*"},
           {"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"acs:SecureTransport":"true"}}}"#,
    );
    assert_eq!(decide(&policy, ADD, &[HERE]), Ok(()));
}

#[test]
fn a_document_that_cannot_be_judged_is_refused() {
    let json = |text: &str| matches!(Policy::parse(text), Err(PolicyError::Json(_)));
    assert!(json(""));
    assert!(json("root"));
    assert!(json(r#"{"Statement":[]}"#));
    assert!(json(r#"{"Version":"1","Statement":[],"Id":"x"}"#));
    assert!(json(&document(r#"{"Effect":"allow","Action":"*","Resource":"*"}"#)));
    assert!(json(&document(r#"{"Effect":"Allow","Action":"*"}"#)));
    assert!(json(&document(r#"{"Effect":"Allow","Action":"*","NotResource":"*"}"#)));
    assert!(json(&document(r#"{"Effect":"Allow","Effect":"Deny","Action":"*","Resource":"*"}"#)));
    assert_eq!(Policy::parse(r#"{"Version":"2","Statement":[]}"#), Err(PolicyError::Version("2".to_owned())));
    let long = document(&" ".repeat(70_000));
    assert_eq!(Policy::parse(&long), Err(PolicyError::TooLong { bytes: long.len() }));
}

#[test]
fn a_statement_that_cannot_be_judged_is_named() {
    let with = |condition: &str| {
        document(&format!(r#"{{"Effect":"Deny","Action":"*","Resource":"*","Condition":{condition}}}"#))
    };
    refused(&document(r#"{"Effect":"Allow","Resource":"*"}"#), StatementFault::Action);
    refused(
        &document(r#"{"Effect":"Allow","Action":"*","NotAction":"*","Resource":"*"}"#),
        StatementFault::Action,
    );
    refused(&document(r#"{"Effect":"Allow","Action":[],"Resource":"*"}"#), StatementFault::Empty("Action"));
    refused(&document(r#"{"Effect":"Allow","Action":"*","Resource":[]}"#), StatementFault::Empty("Resource"));
    refused(
        &with(r#"{"StringStartsWith":{"acs:PrincipalARN":"x"}}"#),
        StatementFault::Operator("StringStartsWith".to_owned()),
    );
    refused(
        &with(r#"{"StringEquals":{"acs:ResourceTag/x":"y"}}"#),
        StatementFault::Key("acs:ResourceTag/x".to_owned()),
    );
    refused(&with(r#"{"IpAddress":{"acs:SourceIp":[]}}"#), StatementFault::Empty("Condition"));
    for (operator, key, value) in [
        ("IpAddress", "acs:SourceIp", "192.0.2.0/33"),
        ("NotIpAddress", "acs:SourceIp", "2001:db8::/129"),
        ("IpAddress", "acs:SourceIp", "example.com"),
        ("DateLessThan", "acs:CurrentTime", "yesterday"),
        ("Bool", "acs:SecureTransport", "maybe"),
        ("NumericEquals", "acs:SourceIp", "1"),
    ] {
        let fault = StatementFault::Value { operator, value: value.to_owned() };
        refused(&with(&format!(r#"{{"{operator}":{{"{key}":"{value}"}}}}"#)), fault);
    }
}
