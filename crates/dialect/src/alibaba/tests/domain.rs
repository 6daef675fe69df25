use super::*;

const ADD: &str = "AddLiveDomain";
const LIST: &str = "DescribeLiveUserDomains";
const DETAIL: &str = "DescribeLiveDomainDetail";
const MAP: &str = "AddLiveDomainMapping";

const BASE: &[(&str, &str)] =
    &[("DomainName", "new.local"), ("LiveDomainType", "liveVideo"), ("Region", "cn-shanghai")];

fn names(world: &mut World, params: &[(&str, &str)]) -> String {
    let list = world.done(LIST, params);
    let all = list["Domains"]["PageData"].as_array().unwrap();
    all.iter().map(|domain| domain["DomainName"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_new_domain_is_listed_and_told_in_detail() {
    let mut world = World::new();
    world.done(ADD, BASE);
    let expected = json!({
        "PageNumber": 1, "PageSize": 20, "TotalCount": 1,
        "Domains": { "PageData": [{
            "DomainName": "new.local", "Cname": "", "Description": "", "GmtCreated": "2026-11-20T08:00:00Z",
            "GmtModified": "2026-11-20T08:00:00Z", "LiveDomainStatus": "online", "LiveDomainType": "liveVideo",
            "RegionName": "cn-shanghai", "ResourceGroupId": "",
        }] },
    });
    assert_eq!(world.done(LIST, &[("DomainName", "new")]), expected);
    let expected = json!({ "DomainDetail": {
        "DomainName": "new.local", "Cname": "", "CertName": "", "Description": "", "DomainStatus": "online",
        "GmtCreated": "2026-11-20T08:00:00Z", "GmtModified": "2026-11-20T08:00:00Z",
        "LiveDomainType": "liveVideo", "Region": "cn-shanghai", "ResourceGroupId": "", "SSLProtocol": "off",
        "SSLPub": "", "Scope": "domestic",
    } });
    assert_eq!(world.done(DETAIL, &[("DomainName", "New.Local")]), expected);
}

#[test]
fn a_search_goes_by_its_type() {
    let mut world = World::new();
    world.done(ADD, BASE);
    for (changes, expected) in [
        (&[][..], "live.local push.live.local new.local"),
        (&[("DomainName", "live.local")], "live.local push.live.local"),
        (&[("DomainName", "LIVE"), ("DomainSearchType", "pre_match")], "live.local"),
        (&[("DomainName", "w.local"), ("DomainSearchType", "suf_match")], "new.local"),
        (&[("DomainName", "live.local"), ("DomainSearchType", "full_match")], "live.local"),
        (&[("LiveDomainType", "liveEdge")], "push.live.local"),
        (&[("RegionName", "cn-shanghai")], "new.local"),
        (&[("DomainStatus", "offline")], ""),
        (&[("PageSize", "2"), ("PageNumber", "2")], "new.local"),
    ] {
        assert_eq!(names(&mut world, changes), expected, "{changes:?}");
    }
    for (name, value) in
        [("DomainSearchType", "x"), ("DomainStatus", "x"), ("PageSize", "51"), ("PageNumber", "0")]
    {
        let expected = (
            400,
            &*format!("Invalid{name}.Malformed"),
            &*format!("Specified parameter {name} is not valid."),
        );
        world.check_refused(LIST, &[], &[(name, value)], expected);
    }
}

#[test]
fn a_domain_needs_a_name_a_type_and_a_region() {
    let mut world = World::new();
    for name in ["DomainName", "LiveDomainType", "Region"] {
        let expected = (400, &*format!("Missing{name}"), &*format!("{name} is mandatory for this action."));
        world.check_refused(ADD, BASE, &[(name, "")], expected);
    }
    for (name, value) in [("DomainName", "a/b"), ("LiveDomainType", "x"), ("Scope", "mars")] {
        let expected = (
            400,
            &*format!("Invalid{name}.Malformed"),
            &*format!("Specified parameter {name} is not valid."),
        );
        world.check_refused(ADD, BASE, &[(name, value)], expected);
    }
    let taken = world.refused(ADD, &pairs(&with(BASE, &[("DomainName", "push.live.local")])));
    assert_eq!((taken.0, &*taken.1), (400, "DomainAlreadyExist"));
}

#[test]
fn a_mapping_leads_pushes_to_the_streaming_domain() {
    let mut world = World::new();
    world.done(ADD, BASE);
    world.done(ADD, &pairs(&with(BASE, &[("DomainName", "in.local"), ("LiveDomainType", "liveEdge")])));
    assert_eq!(world.catalog.streaming_domain("in.local"), None);
    world.done(MAP, &[("PullDomain", "new.local"), ("PushDomain", "in.local")]);
    assert_eq!(world.catalog.streaming_domain("in.local"), Some("new.local"));
    for (pull, push, code) in [
        ("", "in.local", "InvalidPullDomain.Miss"),
        ("new.local", "", "InvalidPushDomain.Miss"),
        ("in.local", "in.local", "DomainType.Malformed"),
        ("new.local", "new.local", "DomainType.Malformed"),
    ] {
        let (status, refused, _) = world.refused(MAP, &[("PullDomain", pull), ("PushDomain", push)]);
        assert_eq!((status, &*refused), (400, code), "{pull} {push}");
    }
}
