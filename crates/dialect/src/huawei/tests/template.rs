//! Snapshot templates, from a request to the catalog and back.

use bytes::Bytes;
use catalog::{Catalog, Declared, DomainRaw, Storage};
use media::Wall;
use serde_json::{Value, json};

use super::super::{Ask, Operation, Refusal};
use crate::http::{Request, Response};

const PROJECT: &str = "0123456789abcdef0123456789abcdef";

/// A server with a pair of domains and a storage.
struct Server(Catalog);

impl Server {
    fn new() -> Self {
        let domain = DomainRaw {
            name: Some("play.example.com".into()),
            ingest: vec!["push.example.com".into()],
            ..DomainRaw::default()
        };
        let storage = Storage {
            name: "cn-north-4".into(),
            endpoints: Vec::new(),
            buckets: Some(vec!["live-bucket".into()]),
        };
        let declared = Declared { domains: vec![domain], storages: vec![storage], ..Declared::default() };
        Self(Catalog::build(declared).unwrap().0)
    }

    /// What a shell does with a request whose signature is right.
    fn take(&mut self, request: &Request) -> Result<Response, Refusal> {
        let operation = Operation::of(request, PROJECT)?;
        let ask = operation.ask(request)?;
        if let Ask::Change(command) = &ask {
            self.0 = self.0.apply(command, Wall(1_795_161_600_000_000))?.catalog;
        }
        Ok(operation.answer(&ask, &self.0, "ID"))
    }

    #[track_caller]
    fn done(&mut self, method: &str, query: &str, body: &Value, status: u16) {
        let response = self.take(&request(method, query, body)).unwrap();
        assert_eq!((response.status, response.header("x-request-id")), (status, Some("ID")));
        assert!(response.body.is_empty());
    }

    #[track_caller]
    fn refused(&mut self, method: &str, query: &str, body: &Value, code: (u16, &str), detail: &str) {
        let refusal = self.take(&request(method, query, body)).unwrap_err();
        assert_eq!((refusal.status, refusal.code), code, "{body}");
        assert_eq!(refusal.detail.as_deref(), Some(detail));
    }

    #[track_caller]
    fn list(&mut self, query: &str) -> Value {
        let response = self.take(&request("GET", query, &Value::Null)).unwrap();
        assert_eq!(response.status, 200);
        serde_json::from_slice(&response.body).unwrap()
    }
}

fn request(method: &str, query: &str, body: &Value) -> Request {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    Request {
        method: method.into(),
        path: format!("/v1/{PROJECT}/stream/snapshot"),
        query: query.into(),
        headers: vec![("Content-Type".into(), "application/json; charset=utf-8".into())],
        body: Bytes::from(body),
    }
}

fn template(app: &str) -> Value {
    json!({
        "domain": "push.example.com",
        "app_name": app,
        "time_interval": 5,
        "object_write_mode": 0,
        "obs_location": { "bucket": "live-bucket", "location": "cn-north-4", "object": "o/" },
    })
}

/// The template with these fields changed; null removes one.
fn with(changes: &Value) -> Value {
    let mut template = template("live");
    for (name, value) in changes.as_object().unwrap() {
        template[name] = value.clone();
    }
    template
}

const ILLEGAL: (u16, &str) = (400, "LIVE.100011001");

#[test]
fn what_was_created_is_listed_as_it_was_given_with_defaults() {
    let mut server = Server::new();
    let full = json!({
        "domain": "push.example.com",
        "app_name": "full",
        "auth_key": "k".repeat(32),
        "time_interval": 3600,
        "object_write_mode": 1,
        "snapshot_mode": "random",
        "obs_location": { "bucket": "live-bucket", "location": "cn-north-4", "object": "test1/" },
        "call_back_enable": "on",
        "call_back_url": "http://x/y",
        "image_object_format": "{{.obs_object}}/{{.domain}}/{{.app}}/{{.stream}}.jpg",
        "image_access_protocol": "https",
        "image_access_domain": "img.example.com",
    });
    server.done("POST", "", &full, 201);
    server.done("POST", "", &template("live"), 201);
    let mut second = template("live");
    second["snapshot_mode"] = "keyframe".into();
    assert_eq!(
        server.list("domain=push.example.com"),
        json!({ "total": 2, "offset": 0, "limit": 10, "snapshot_config_list": [full, second] })
    );
}

#[test]
fn the_ingest_and_the_streaming_domain_list_the_same_and_another_lists_nothing() {
    let mut server = Server::new();
    server.done("POST", "", &template("live"), 201);
    let listed = server.list("domain=push.example.com&app_name=live");
    assert_eq!(listed["total"], 1);
    assert_eq!(server.list("domain=Play.example.com"), listed);
    assert_eq!(
        server.list("domain=other.example.com"),
        json!({ "total": 0, "offset": 0, "limit": 10, "snapshot_config_list": [] })
    );
    assert_eq!(server.list("domain=push.example.com&app_name=src")["total"], 0);
}

#[test]
fn an_offset_counts_pages() {
    let mut server = Server::new();
    for app in ["a", "b", "c", "d", "e"] {
        server.done("POST", "", &template(app), 201);
    }
    let mut apps = |query: &str| -> Vec<String> {
        let list = server.list(&format!("domain=push.example.com&{query}"));
        assert_eq!(list["total"], 5);
        let configs = list["snapshot_config_list"].as_array().unwrap();
        configs.iter().map(|config| config["app_name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(apps("limit=2&offset=0"), ["a", "b"]);
    assert_eq!(apps("limit=2&offset=2"), ["e"]);
    assert!(apps("limit=2&offset=3").is_empty());
    assert!(apps("limit=100&offset=18446744073709551615").is_empty());
}

#[test]
fn a_query_outside_the_seeds_ranges_is_illegal() {
    let mut server = Server::new();
    let long = |characters: usize| "x".repeat(characters);
    let domain = "domain=push.example.com";
    for (query, detail) in [
        (String::new(), "domain is missing"),
        ("domain=".to_owned(), "domain is missing"),
        (format!("domain={}", long(256)), "domain must have 1 to 255 characters"),
        (format!("{domain}&app_name={}", long(129)), "app_name must have 1 to 128 characters"),
        (format!("{domain}&limit=0"), "limit is \"0\", not 1 to 100"),
        (format!("{domain}&limit=101"), "limit is \"101\", not 1 to 100"),
        (format!("{domain}&limit=ten"), "limit is \"ten\", not 1 to 100"),
        (format!("{domain}&offset=-1"), "offset is \"-1\", not 0 or more"),
    ] {
        server.refused("GET", &query, &Value::Null, ILLEGAL, detail);
    }
    for query in ["limit=1", "limit=100", "offset=0", "unknown=1"] {
        server.list(&format!("{domain}&{query}"));
    }
    server.list(&format!("domain={}&app_name={}", long(255), long(128)));
}

#[test]
fn a_template_is_taken_once_and_replaced_whole() {
    let mut server = Server::new();
    let exists = "app_name: there is another template for the same streams";
    server.done("POST", "", &with(&json!({ "auth_key": "k".repeat(128) })), 201);
    server.refused("POST", "", &template("live"), (400, "LIVE.103011018"), exists);
    server.done("PUT", "", &with(&json!({ "time_interval": 3600 })), 200);
    let config = &server.list("domain=push.example.com")["snapshot_config_list"][0];
    assert_eq!((&config["time_interval"], config.get("auth_key")), (&json!(3600), None));
    server.done("DELETE", "domain=push.example.com&app_name=live", &Value::Null, 204);
    assert_eq!(server.list("domain=push.example.com")["total"], 0);
}

#[test]
fn what_is_not_there_cannot_be_changed() {
    let mut server = Server::new();
    let absent = (404, "LIVE.103011019");
    for (method, query, body) in [
        ("PUT", "", template("live")),
        ("DELETE", "domain=push.example.com&app_name=live", Value::Null),
        ("POST", "", with(&json!({ "domain": "nobody.example.com" }))),
    ] {
        let refusal = server.take(&request(method, query, &body)).unwrap_err();
        assert_eq!((refusal.status, refusal.code), absent, "{method}");
    }
    server.refused("DELETE", "app_name=live", &Value::Null, ILLEGAL, "domain is missing");
    server.refused("DELETE", "domain=push.example.com", &Value::Null, ILLEGAL, "app_name is missing");
}

#[test]
fn values_outside_the_seeds_ranges_are_illegal_and_named() {
    let mut server = Server::new();
    let location = |changes: &Value| {
        let mut location = template("live")["obs_location"].clone();
        for (name, value) in changes.as_object().unwrap() {
            location[name] = value.clone();
        }
        json!({ "obs_location": location })
    };
    for (changes, name) in [
        (json!({ "domain": null }), "domain"),
        (json!({ "app_name": null }), "app_name"),
        (json!({ "app_name": "x".repeat(129) }), "app_name"),
        (json!({ "app_name": "a/b" }), "app_name"),
        (json!({ "time_interval": null }), "time_interval"),
        (json!({ "time_interval": 4 }), "time_interval"),
        (json!({ "time_interval": 3601 }), "time_interval"),
        (json!({ "object_write_mode": 2 }), "object_write_mode"),
        (json!({ "object_write_mode": -1 }), "object_write_mode"),
        (json!({ "snapshot_mode": "all" }), "snapshot_mode"),
        (json!({ "auth_key": "k".repeat(31) }), "auth_key"),
        (json!({ "auth_key": "k".repeat(129) }), "auth_key"),
        (json!({ "obs_location": null }), "obs_location"),
        (location(&json!({ "bucket": null })), "obs_location.bucket"),
        (location(&json!({ "bucket": "b".repeat(65) })), "obs_location.bucket"),
        (location(&json!({ "bucket": "other" })), "obs_location.bucket"),
        (location(&json!({ "location": null })), "obs_location.location"),
        (location(&json!({ "location": "elsewhere" })), "obs_location.location"),
        (location(&json!({ "object": "o".repeat(1025) })), "obs_location.object"),
        (json!({ "call_back_enable": "yes" }), "call_back_enable"),
        (json!({ "call_back_enable": "on" }), "call_back_url"),
        (json!({ "call_back_enable": "on", "call_back_url": "x/y" }), "call_back_url"),
        (json!({ "image_object_format": "{{.stream}}.jpg" }), "image_object_format"),
        (json!({ "image_object_format": "{{.unix_time}}.png" }), "image_object_format"),
        (json!({ "image_object_format": "{{.unix_time}}{{.x}}.jpg" }), "image_object_format"),
        (
            json!({ "object_write_mode": 1, "image_object_format": "{{.unix_time}}.jpg" }),
            "image_object_format",
        ),
        (json!({ "image_access_protocol": "ftp" }), "image_access_protocol"),
        (json!({ "image_access_domain": "d".repeat(256) }), "image_access_domain"),
    ] {
        let refusal = server.take(&request("POST", "", &with(&changes))).unwrap_err();
        assert_eq!((refusal.status, refusal.code), ILLEGAL, "{changes}");
        let detail = refusal.detail.unwrap();
        let named = detail.split(':').next().unwrap();
        assert!(named == name || named.starts_with(&format!("{name}.")), "{changes}: {detail}");
    }
    for changes in [
        json!({ "time_interval": 5 }),
        json!({ "time_interval": 3600 }),
        json!({ "object_write_mode": null }),
        json!({ "auth_key": "k".repeat(128) }),
        json!({ "image_access_domain": "" }),
        json!({ "image_object_format": "{{.fmt_time_local}}.jpg" }),
        json!({ "unknown": { "field": 1 } }),
    ] {
        server.done("POST", "", &with(&changes), 201);
        server.done("DELETE", "domain=push.example.com&app_name=live", &Value::Null, 204);
    }
}

#[test]
fn a_body_that_is_no_template_is_illegal() {
    let mut server = Server::new();
    for body in [
        "",
        "{",
        "[]",
        "null",
        r#"{"time_interval":"5"}"#,
        r#"{"time_interval":5.5}"#,
        r#"{"obs_location":"b"}"#,
    ] {
        let mut request = request("POST", "", &Value::Null);
        request.body = Bytes::from(body);
        let refusal = server.take(&request).unwrap_err();
        assert_eq!((refusal.status, refusal.code), ILLEGAL, "{body}");
    }
    let mut form = request("POST", "", &template("live"));
    form.headers = vec![("Content-Type".into(), "text/plain".into())];
    assert_eq!(server.take(&form).unwrap_err().code, "LIVE.100011012");
}

#[test]
fn another_path_project_or_method_is_told_so() {
    let of = |method: &str, path: &str, project: Option<&str>| {
        let mut request = request(method, "", &Value::Null);
        request.path = path.into();
        request.headers.extend(project.map(|project| ("X-Project-Id".into(), project.into())));
        Operation::of(&request, PROJECT)
            .map(Operation::action)
            .map_err(|refusal| (refusal.status, refusal.code))
    };
    let path = format!("/v1/{PROJECT}/stream/snapshot");
    assert_eq!(of("GET", &path, None), Ok("live:snapshot:listRules"));
    assert_eq!(of("POST", &path, Some(PROJECT)), Ok("live:snapshot:createRule"));
    assert_eq!(of("PUT", &format!("{path}/"), None), Ok("live:snapshot:updateRule"));
    assert_eq!(of("DELETE", &path, None), Ok("live:snapshot:deleteRule"));
    assert_eq!(of("PATCH", &path, None), Err((400, "LIVE.100011011")));
    assert_eq!(of("GET", &path, Some("other")), Err((401, "LIVE.100011015")));
    assert_eq!(of("GET", "/v1/other/stream/snapshot", None), Err((401, "LIVE.100011015")));
    for path in ["/", "/v1", "/v1/", "/v2/x/stream/snapshot", "/v1/x/stream", "/v1/x/stream/snapshot/y"] {
        assert_eq!(of("GET", path, None), Err((404, "APIGW.0101")), "{path}");
    }
}
