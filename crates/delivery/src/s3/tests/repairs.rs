//! What an operator is told, and whether the object waits for the repair.

use super::mock::{Fate, Mock};
use super::*;

/// What the check of a store with one bucket says.
async fn told(mock: &Mock) -> String {
    told_by(&store(mock)).await
}

async fn told_by(store: &S3Store) -> String {
    let troubles = store.check().await;
    assert_eq!(troubles.len(), 1, "{troubles:?}");
    assert_eq!(troubles[0].kind(), ErrorKind::Temporary, "an operator can repair it: {}", troubles[0]);
    troubles[0].to_string()
}

#[tokio::test]
async fn a_store_that_is_well_is_left_as_it_was() {
    let mock = Mock::start(|_, _| None).await;
    assert_eq!(store(&mock).check().await, []);
    let methods: Vec<String> = mock.look(|state| state.asked.iter().map(|a| a.method.to_string()).collect());
    assert_eq!(methods, ["PUT", "DELETE"]);
    assert!(mock.look(|state| state.objects.is_empty()));
}

#[tokio::test]
async fn each_refusal_is_told_in_its_own_words() {
    for (status, code, words) in [
        (
            403,
            "InvalidAccessKeyId",
            "the service knows no access key \"AKIA\" (403 InvalidAccessKeyId: because)",
        ),
        (
            403,
            "SignatureDoesNotMatch",
            "the secret of access key \"AKIA\" is wrong (403 SignatureDoesNotMatch: because)",
        ),
        (
            403,
            "AccessDenied",
            "access key \"AKIA\" may not do this in bucket \"live\" (403 AccessDenied: because)",
        ),
        (404, "NoSuchBucket", "there is no bucket \"live\" (404 NoSuchBucket: because)"),
        (
            403,
            "SecondLevelDomainForbidden",
            "the service takes no path-style requests: set path_style = false (403 SecondLevelDomainForbidden: because)",
        ),
        (
            301,
            "PermanentRedirect",
            "region is \"us-east-1\", the service expects another (301 PermanentRedirect: because)",
        ),
        (503, "SlowDown", "the service refused: 503 SlowDown: because"),
    ] {
        let mock = Mock::refusing(status, code).await;
        assert_eq!(told(&mock).await, words);
    }
}

#[tokio::test]
async fn a_wrong_clock_is_told_with_the_difference() {
    let behind = ("date", "Fri, 20 Nov 2026 15:21:05 GMT");
    let ahead = ("date", "Fri, 20 Nov 2026 12:59:59 GMT");
    for (date, words) in [(behind, "2h 01m 05s behind"), (ahead, "0h 20m 01s ahead of")] {
        let mock = Mock::start(move |_, _| Some(Fate::RefuseWith(403, "RequestTimeTooSkewed", date))).await;
        let told = told(&mock).await;
        let expected = format!("this machine's clock is {words} the service's (403 RequestTimeTooSkewed)");
        assert_eq!(told, expected);
        assert_eq!(mock.look(|state| state.asked.len()), 1, "signatures are not bent to fit");
    }
}

#[tokio::test]
async fn another_region_is_named_where_the_service_names_it() {
    let region = ("x-amz-bucket-region", "eu-west-1");
    let mock = Mock::start(move |_, _| Some(Fate::RefuseWith(301, "PermanentRedirect", region))).await;
    let told = told(&mock).await;
    assert!(told.starts_with("region is \"us-east-1\", the service expects \"eu-west-1\""), "{told}");
}

#[tokio::test]
async fn a_service_that_is_not_there_is_named() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{gone}");
    let told = told_by(&S3Store::open(settings(&url))).await;
    assert!(told.starts_with(&format!("{url} cannot be reached: Connection refused")), "{told}");
}

#[tokio::test]
async fn a_bucket_host_without_an_address_points_to_path_style() {
    let url = "http://s3.invalid";
    let told = told_by(&S3Store::open(settings(url))).await;
    assert!(told.starts_with("no address for host \"live.s3.invalid\": "), "{told}");
    assert!(told.ends_with("needs path_style = true"), "{told}");
}

#[tokio::test]
async fn a_service_that_never_answers_is_given_up() {
    let mock = Mock::start(|_, _| Some(Fate::Hang)).await;
    let told = told(&mock).await;
    assert!(told.starts_with("the service hangs: nothing moved for 500ms"), "{told}");
}

#[tokio::test]
async fn every_bucket_is_told_of_and_a_fault_of_all_once() {
    let buckets = vec!["one".to_owned(), "two".to_owned()];
    let mock = Mock::refusing(404, "NoSuchBucket").await;
    let both = S3Store::open(Settings { buckets: buckets.clone(), ..settings(&mock.url()) });
    assert_eq!(both.check().await.len(), 2);
    let mock = Mock::refusing(403, "InvalidAccessKeyId").await;
    let both = S3Store::open(Settings { buckets, ..settings(&mock.url()) });
    assert_eq!(both.check().await.len(), 1);
}

#[tokio::test]
async fn without_buckets_being_there_is_enough() {
    let any = |mock: &Mock| S3Store::open(Settings { buckets: Vec::new(), ..settings(&mock.url()) });
    assert_eq!(any(&Mock::start(|_, _| None).await).check().await, []);
    assert_eq!(any(&Mock::refusing(403, "AccessDenied").await).check().await, []);
    assert_eq!(any(&Mock::refusing(403, "SignatureDoesNotMatch").await).check().await.len(), 1);
}

#[tokio::test]
async fn a_missing_bucket_is_made_if_it_may_be() {
    let missing = |n, _: &mock::Asked| (n == 0).then_some(Fate::Refuse(404, "NoSuchBucket", ""));
    let mock = Mock::start(missing).await;
    let store = S3Store::open(Settings { create_buckets: true, ..settings(&mock.url()) });
    assert_eq!(store.check().await, []);
    let paths: Vec<String> = mock.look(|state| state.asked.iter().map(|a| a.path.clone()).collect());
    assert_eq!(paths[1].trim_end_matches('/'), "/live");
}

#[tokio::test]
async fn a_bucket_is_asked_for_once_in_a_while() {
    let mock = Mock::start(|_, asked| asked.path.contains("none").then_some(Fate::Refuse(404, "", ""))).await;
    let store = store(&mock);
    for _ in 0..3 {
        assert_eq!(store.has_bucket("live").await, Ok(true));
        assert_eq!(store.has_bucket("none").await, Ok(false));
    }
    assert_eq!(mock.look(|state| state.asked.len()), 2);
    let sick = Mock::refusing(500, "InternalError").await;
    assert!(super::store(&sick).has_bucket("live").await.is_err());
}

#[tokio::test]
async fn what_no_repair_can_help_is_permanent() {
    for code in ["KeyTooLongError", "EntityTooLarge", "InvalidURI"] {
        let mock = Mock::refusing(400, code).await;
        let body = Body::Memory(Vec::new());
        let error = store(&mock)
            .put(&object("k"), &body, Headers::of("text/plain"), Mode::Replace)
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::Permanent, "{error}");
    }
}
