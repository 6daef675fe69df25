use super::super::{OPERATIONS, Rate, Run, Scope};
use super::*;

#[test]
fn no_two_operations_have_one_name() {
    let mut names: Vec<_> = OPERATIONS.iter().map(|operation| operation.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), OPERATIONS.len());
}

#[test]
fn unknown_operations_and_versions_are_told_apart() {
    let find = |query: &str| Call::read(&get(query)).operation().unwrap_err();
    let refusal = find("Action=RealTimeSnapshotCommand&Version=2016-11-01");
    let message = "Specified api is not found, please check your url and method.";
    assert_eq!(refusal, Refusal::new(404, "InvalidAction.NotFound", message));
    let refusal = find("Action=AddLiveAppSnapshotConfig&Version=2016-11-02");
    assert_eq!(refusal, Refusal::new(400, "InvalidVersion", "Specified parameter Version is not valid."));
    assert_eq!(&*find("Version=2016-11-01").code, "InvalidAction.NotFound");
}

#[test]
fn rates_are_those_of_the_seeds() {
    for (action, calls, seconds) in [
        ("AddLiveAppSnapshotConfig", 30, 1),
        ("AddLiveAppRecordConfig", 30, 1),
        ("DeleteLiveAppRecordConfig", 50, 1),
        ("DescribeLiveRecordConfig", 100, 1),
        ("AddLivePackageConfig", 300, 60),
        ("DescribeLivePackageConfig", 300, 60),
        ("ForbidLiveStream", 20, 1),
        ("DescribeLiveStreamsOnlineList", 10_000, 60),
    ] {
        assert_eq!(operation(action).unwrap().rate, Rate { calls, seconds }, "{action}");
    }
}

#[test]
fn policies_see_the_domain_under_the_cdns_service_name() {
    let add = operation("AddLiveAppSnapshotConfig").unwrap();
    assert_eq!(add.ram_action(), "live:AddLiveAppSnapshotConfig");
    let resources = add.resources(&params(&[("DomainName", "Live.Local")]), "42");
    assert_eq!(resources, ["acs:cdn:*:42:domain/live.local"]);
    let delete = operation("DeleteLiveAppSnapshotConfig").unwrap();
    assert_eq!(delete.resources(&params(&[("DomainName", "live.local")]), "42"), ["*"]);
    let map = operation("AddLiveDomainMapping").unwrap();
    let both = map.resources(&params(&[("PushDomain", "push"), ("PullDomain", "pull")]), "42");
    assert_eq!(both, ["acs:cdn:*:42:domain/pull", "acs:cdn:*:42:domain/push"]);
}

#[test]
fn what_describes_changes_nothing_and_nothing_else_describes() {
    for operation in OPERATIONS {
        let changes = matches!(operation.run, Run::Change(_) | Run::Act(_));
        assert_eq!(changes, !operation.name.starts_with("Describe"), "{}", operation.name);
    }
}

#[test]
fn every_operation_that_has_a_domain_needs_it() {
    let mut world = World::new();
    for operation in OPERATIONS.iter().filter(|operation| operation.name != "DescribeLiveUserDomains") {
        let (status, code, message) = world.refused(operation.name, &[("LiveStreamType", "publisher")]);
        assert_eq!(status, 400, "{}", operation.name);
        let expected = match operation.name {
            "AddLiveDomainMapping" => "InvalidPullDomain.Miss",
            name if name.contains("Package") || name.contains("SnapshotNotify") => "MissingParam",
            _ => "MissingDomainName",
        };
        assert_eq!(code, expected, "{}", operation.name);
        assert!(message.contains("Domain"), "{message}");
    }
}

#[test]
fn a_domain_that_nobody_declared_is_not_found() {
    let mut world = World::new();
    let params = [
        ("DomainName", "other.local"),
        ("PullDomain", "other.local"),
        ("PushDomain", "push.live.local"),
        ("AppName", "app"),
        ("StreamName", "stream"),
        ("NotifyUrl", "http://x/"),
        ("LiveStreamType", "publisher"),
    ];
    for operation in OPERATIONS {
        if matches!(operation.name, "DescribeLiveUserDomains" | "AddLiveDomain") {
            continue;
        }
        let message = "The domain provided does not exist in our records.".to_owned();
        let expected = (404, "InvalidDomain.NotFound".to_owned(), message);
        assert_eq!(world.refused(operation.name, &params), expected, "{}", operation.name);
    }
}

#[test]
fn every_operation_without_a_domain_is_open_to_all_resources_only() {
    let all = OPERATIONS.iter().filter(|operation| operation.scope == Scope::All);
    let names: Vec<_> = all.map(|operation| operation.name).collect();
    assert_eq!(names, ["DeleteLiveAppSnapshotConfig", "DescribeLiveUserDomains"]);
}
