use super::*;
use crate::Unnamed;

fn with_two_domains(default: bool) -> Catalog {
    let mut input = declared();
    input.domains[0].default = default;
    input.domains.push(DomainRaw {
        name: some("Other.Example"),
        second_publisher: some("take-over"),
        ..DomainRaw::default()
    });
    Catalog::build(input).unwrap().0
}

#[track_caller]
fn leads(catalog: &Catalog, host: Option<&str>, to: Option<&str>) {
    assert_eq!(catalog.domain_of(host).map(|domain| domain.name()), to);
}

#[test]
fn a_host_leads_to_the_domain_that_names_it() {
    let catalog = with_two_domains(false);
    leads(&catalog, Some("live.local"), Some("live.local"));
    leads(&catalog, Some("push.live.local:1935"), Some("live.local"));
    leads(&catalog, Some("OTHER.example."), Some("other.example"));
    leads(&catalog, Some("127.0.0.1"), None);
    leads(&catalog, None, None);
}

#[test]
fn the_default_domain_serves_every_other_host() {
    let catalog = with_two_domains(true);
    leads(&catalog, Some("127.0.0.1:8080"), Some("live.local"));
    leads(&catalog, Some("[::1]:8080"), Some("live.local"));
    leads(&catalog, None, Some("live.local"));
    leads(&catalog, Some("other.example:80"), Some("other.example"));
}

#[test]
fn a_publish_that_names_no_stream_is_told_why() {
    let catalog = with_two_domains(false);
    assert_eq!(catalog.stream_id(Some("live.local"), "live", "a").unwrap().to_string(), "live.local/live/a");
    let error = catalog.stream_id(Some("10.0.0.1"), "live", "a").unwrap_err();
    assert_eq!(error, Unnamed::NoDomain("10.0.0.1".to_owned()));
    let error = catalog.stream_id(Some("live.local"), "live", "../a").unwrap_err();
    assert_eq!(error.to_string(), "stream name starts with '.'");
}

#[test]
fn second_publisher_is_the_domains_choice() {
    let catalog = with_two_domains(true);
    let stream = StreamId::parse("other.example", "live", "a").unwrap();
    let plan = catalog.resolve(&Publish { stream, args: Vec::new() });
    assert_eq!(plan.second_publisher, SecondPublisher::TakeOver);
    assert_eq!(catalog.resolve(&publish("live", "a")).second_publisher, SecondPublisher::Refuse);
}

#[track_caller]
fn refused(change: impl FnOnce(&mut Declared), place: (crate::Family, usize), reason: &str) {
    let mut input = declared();
    change(&mut input);
    let faults = Catalog::build(input).unwrap_err();
    assert_eq!((faults[0].place.family, faults[0].place.index), place);
    assert_eq!(format!("{}: {}", faults[0].fault.field, faults[0].fault.detail), reason);
}

#[test]
fn no_host_leads_to_two_domains() {
    use crate::Family::Domain;
    let domain = |name: &str| DomainRaw { name: some(name), ..DomainRaw::default() };
    refused(
        |d| d.domains.push(domain("push.live.local")),
        (Domain, 1),
        "Name: \"push.live.local\" already leads to domain \"live.local\"",
    );
    refused(
        |d| d.domains.push(DomainRaw { default: true, ..domain("b") }),
        (Domain, 1),
        "Default: \"live.local\" is the default domain already",
    );
    refused(|d| d.domains.push(domain("a b")), (Domain, 1), "Name: \"a b\" contains ' '");
    refused(|d| d.domains.push(domain("")), (Domain, 1), "Name: is missing");
    refused(
        |d| d.domains[0].second_publisher = some("both"),
        (Domain, 0),
        "SecondPublisher: is \"both\", not \"refuse\" or \"take-over\"",
    );
}

#[test]
fn no_endpoint_names_two_storages() {
    use crate::Family::Storage as Family;
    let storage = |name: &str| Storage { name: name.to_owned(), ..Storage::default() };
    refused(
        |d| d.storages.push(storage("OSS-cn-shanghai.aliyuncs.com")),
        (Family, 1),
        "Name: \"OSS-cn-shanghai.aliyuncs.com\" names another storage",
    );
    refused(
        |d| d.storages[0].buckets = Some(vec!["..".to_owned()]),
        (Family, 0),
        "Buckets: \"..\" is no bucket name: letters, digits, '-', '_' and '.', the first a letter or digit",
    );
}
