use std::iter;

use catalog::Publish;
use media::Wall;
use output::Spec;

use super::*;

const SHIPPED: &str = include_str!("../../../../config/millrace.toml");

/// A storage and a domain, for templates: 8 lines.
const BASE: &str = "[[storage]]\nname = \"oss-local\"\nkind = \"fs\"\npath = \"data/objects\"\nbuckets = [\"b\"]\n\
                    [[domain]]\nname = \"live.local\"\ndefault = true\n";

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse("m.toml", text, iter::empty())
}

fn with_env(text: &str, name: &str, value: &str) -> Result<Config, ConfigError> {
    Config::parse("m.toml", text, iter::once((name.to_owned(), value.to_owned())))
}

#[track_caller]
fn wrong(text: &str, lines: &[&str]) {
    assert_eq!(parse(text).unwrap_err().lines(), lines);
}

#[track_caller]
fn wrong_env(name: &str, value: &str, line: &str) {
    assert_eq!(with_env(SHIPPED, name, value).unwrap_err().lines(), [line]);
}

/// `text` below [`BASE`]; its first line is line 9.
#[track_caller]
fn wrong_template(text: &str, lines: &[&str]) {
    wrong(&format!("{BASE}{text}"), lines);
}

fn outputs(config: &Config) -> Vec<&'static str> {
    let stream = config.catalog.stream_id(Some("127.0.0.1:1935"), "live", "demo").unwrap();
    let plan = config.catalog.resolve(&Publish { stream, args: Vec::new() });
    assert_eq!(plan.warnings, [""; 0]);
    plan.outputs.iter().map(Spec::name).collect()
}

#[test]
fn the_shipped_config_packages_records_and_snapshots_live_demo() {
    let config = parse(SHIPPED).unwrap();
    assert_eq!(outputs(&config), ["package", "record/m3u8", "record/flv", "snapshot"]);
    assert_eq!(config.warnings, [""; 0]);
    assert_eq!(config.storages[0].kind, Kind::Fs("data/objects".into()));
}

#[test]
fn the_shipped_config_writes_out_the_defaults() {
    let (shipped, built_in) = (parse(SHIPPED).unwrap(), parse("").unwrap());
    assert_eq!(shipped.server, built_in.server);
    assert_eq!(shipped.rtmp, built_in.rtmp);
    assert_eq!(shipped.http, built_in.http);
    assert_eq!(shipped.api, built_in.api);
    assert_eq!(shipped.database, built_in.database);
    assert_eq!(shipped.log, built_in.log);
    assert_eq!(shipped.limits, built_in.limits);
    assert_eq!(shipped.callbacks, built_in.callbacks);
    assert_eq!(shipped.catalog.known().options, built_in.catalog.known().options);
}

#[test]
fn what_is_commented_out_in_the_shipped_config_is_known() {
    let uncommented = |line: &str| {
        let key = line.strip_prefix("# ").and_then(|rest| rest.split_once(" = "));
        let is_key = |key: &str| !key.contains(|c: char| !c.is_ascii_lowercase() && c != '_');
        key.is_some_and(|(key, _)| is_key(key)) || line.starts_with("# [[") || line.starts_with("# [database")
    };
    let text: Vec<&str> =
        SHIPPED.lines().map(|line| if uncommented(line) { &line[2..] } else { line }).collect();
    // Both names of a snapshot are there now, and a bucket for a protocol with parts: the two faults.
    let error = parse(&text.join("\n")).unwrap_err();
    assert_eq!(error.lines().len(), 2, "{error}");
    assert!(error.to_string().contains("only one of OverwriteOssObject and SequenceOssObject"), "{error}");
    assert!(error.to_string().contains("put_oss_bucket"), "{error}");
}

#[test]
fn the_built_in_config_takes_any_host() {
    let config = Config::parse("built-in config", BUILT_IN, iter::empty()).unwrap();
    assert_eq!(config.catalog.stream_id(None, "live", "a").unwrap().domain(), "live.local");
    assert!(outputs(&config).is_empty());
}

#[test]
fn without_a_domain_nothing_can_be_published_and_that_is_said() {
    assert_eq!(parse("").unwrap().warnings, ["m.toml: domain: no [[domain]]: every publish is refused"]);
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("absent.toml");
    let error = Config::load(Some(&path), iter::empty()).unwrap_err().to_string();
    assert!(error.starts_with(&path.display().to_string()), "{error}");
    std::fs::write(&path, SHIPPED).unwrap();
    assert!(Config::load(Some(&path), iter::empty()).is_ok());
}

#[test]
fn an_unknown_key_names_its_line_and_the_nearest_key() {
    wrong(
        "[rtmp]\n\nlissten = \"0.0.0.0:1\"\n",
        &["m.toml:3: rtmp.lissten: unknown key, did you mean \"listen\"?"],
    );
    wrong("[rtmp]\nport = 1\n", &["m.toml:2: rtmp.port: unknown key; known here: listen"]);
    wrong("[htpp]\n", &["m.toml:1: htpp: unknown key, did you mean \"http\"?"]);
    wrong_template(
        "[[snapshot]]\ntime_intervall = 5\n",
        &["m.toml:10: snapshot.time_intervall: unknown key, did you mean \"time_interval\"?"],
    );
    wrong_template(
        "[[record]]\n[[record.record_format]]\n\nformt = \"flv\"\n",
        &["m.toml:12: record.record_format.formt: unknown key, did you mean \"format\"?"],
    );
}

#[test]
fn a_wrong_value_names_its_line_and_what_was_expected() {
    let address = "expected an address and a port such as \"0.0.0.0:8080\"";
    wrong("[rtmp]\nlisten = 1935\n", &[&format!("m.toml:2: rtmp.listen: {address}, found 1935")]);
    wrong(
        "[http]\nlisten = \"localhost\"\n",
        &[&format!("m.toml:2: http.listen: {address}, found \"localhost\"")],
    );
    wrong(
        "[server]\nshutdown_timeout = 10\n",
        &["m.toml:2: server.shutdown_timeout: expected a duration such as \"10s\", 1s to 10m, found 10"],
    );
    wrong(
        "[http]\nreconnect_window = \"1500ms\"",
        &["m.toml:2: http.reconnect_window: expected whole seconds"],
    );
    wrong("[api]\nthrottle = \"yes\"", &["m.toml:2: api.throttle: expected true or false, found \"yes\""]);
    wrong("[log]\nformat = \"xml\"", &["m.toml:2: log.format: expected \"text\" or \"json\", found \"xml\""]);
    wrong(
        "[limits]\nstreams = 0",
        &["m.toml:2: limits.streams: expected a number from 1 to 1000000, found 0"],
    );
    wrong("rtmp = 1", &["m.toml:1: rtmp: expected a section [rtmp], found a number"]);
    wrong("[domain]\nname = \"a\"", &["m.toml:1: domain: expected sections [[domain]], found a section"]);
    wrong("domain = [\n1,\n]", &["m.toml:2: domain: expected a section, found a number"]);
    wrong("[server]\ndata_dir = 1.5", &["m.toml:2: server.data_dir: expected a string, found a fraction"]);
}

#[test]
fn all_faults_are_reported_at_once_in_order_of_their_lines() {
    wrong(
        "[rtmp]\nlisten = 1\n[[storage]]\nname = \"x\"\n[http]\nx = 1\n",
        &[
            "m.toml:2: rtmp.listen: expected an address and a port such as \"0.0.0.0:8080\", found 1",
            "m.toml:3: storage.kind: is missing: \"fs\" or \"s3\"",
            "m.toml:3: storage.path: is missing",
            "m.toml:6: http.x: unknown key; known here: reconnect_window, listen, tls_listen",
        ],
    );
}

#[test]
fn text_that_is_no_toml_names_its_line() {
    let error = parse("[rtmp]\nlisten = \n").unwrap_err().to_string();
    assert!(error.starts_with("m.toml:2: "), "{error}");
    let error = parse("[rtmp]\n[rtmp]\n").unwrap_err().to_string();
    assert!(error.starts_with("m.toml:2: "), "{error}");
    assert!(!error.contains('\n'), "{error}");
}

#[test]
fn a_fault_of_a_template_names_line_key_and_code() {
    let snapshot = "[[snapshot]]\ndomain_name = \"live.local\"\napp_name = \"*\"\noss_endpoint = \"oss-local\"\n\
                    overwrite_oss_object = \"a.jpg\"\n";
    wrong_template(
        &format!("{snapshot}oss_bucket = \"b\"\ntime_interval = 4"),
        &["m.toml:15: snapshot.time_interval: is 4, not 5 to 3600 (InvalidTimeInterval.Malformed)"],
    );
    wrong_template(
        &format!("{snapshot}oss_bucket = \"c\"\ntime_interval = 5"),
        &[
            "m.toml:14: snapshot.oss_bucket: storage \"oss-local\" has no bucket \"c\" (InvalidOssBucket.NotFound)",
        ],
    );
    wrong_template(
        &format!("{snapshot}oss_bucket = \"b\""),
        &["m.toml:9: snapshot.time_interval: is missing (MissingTimeInterval)"],
    );
    let record = "[[record]]\ndomain_name = \"live.local\"\napp_name = \"*\"\noss_endpoint = \"oss-local\"\n\
                  oss_bucket = \"b\"\n[[record.record_format]]\nformat = \"flv\"\n\
                  oss_object_prefix = \"{StartTime}{EndTime}\"\n[[record.record_format]]\nformat = \"m3u8\"\n";
    wrong_template(
        &format!("{record}slice_duration = 31"),
        &[
            "m.toml:19: record.record_format.slice_duration: is 31, not 5 to 30 (InvalidSliceDuration.Malformed)",
        ],
    );
    wrong_template(
        record,
        &[
            "m.toml:17: record.record_format.slice_oss_object_prefix: is missing (MissingSliceOssObjectPrefix)",
        ],
    );
    wrong_template(
        "[[package]]\ndomain_name = \"live.local\"\napp_name = \"*\"\nstream_name = \"*\"\nprotocol = \"HLS\"",
        &["m.toml:13: package.protocol: is \"HLS\", not one of HLS_CMAF, LLHLS_TS, LLHLS_CMAF, DASH_CMAF, \
           HLSDASH_CMAF, LLHLSDASH_CMAF (InvalidProtocol)"],
    );
    wrong_template(
        "[[domain]]\nname = \"LIVE.local\"",
        &["m.toml:10: domain.name: \"live.local\" already leads to domain \"live.local\""],
    );
}

#[test]
fn a_package_template_may_put_its_streams_into_a_bucket() {
    let package = "[[package]]\ndomain_name = \"live.local\"\napp_name = \"*\"\nstream_name = \"*\"\n";
    let put = "put_oss_endpoint = \"oss-local\"\nput_oss_bucket = \"b\"\n";
    let config = parse(&format!("{BASE}{package}protocol = \"HLS_CMAF\"\n{put}")).unwrap();
    let resolved = config.resolved();
    assert!(resolved.contains("put_oss_bucket = \"b\"\nput_oss_prefix = \"{AppName}/\""), "{resolved}");
    assert_eq!(parse(&resolved).unwrap().resolved(), resolved);
    wrong_template(
        &format!("{package}protocol = \"LLHLS_TS\"\n{put}"),
        &[
            "m.toml:15: package.put_oss_bucket: is for protocols without parts, LLHLS_TS has them: no store keeps \
           up with parts (InvalidParams)",
        ],
    );
}

#[test]
fn two_storages_share_no_folder() {
    wrong_template(
        "[[storage]]\nname = \"x\"\nkind = \"fs\"\npath = \"data/objects\"",
        &["m.toml:12: storage.path: is the folder of storage \"oss-local\""],
    );
}

#[test]
fn stores_are_opened_by_name_and_keys_are_handed_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("objects");
    let text = format!(
        "[[storage]]\nname = \"s\"\nkind = \"fs\"\npath = {:?}\nbuckets = [\"b\"]\n\
         [[access_key]]\nid = \"i\"\nsecret = \"k\"",
        path.display().to_string()
    );
    let config = parse(&text).unwrap();
    assert_eq!(config.stores(|| Wall(0)).unwrap().all.into_keys().collect::<Vec<_>>(), ["s"]);
    assert!(path.join("b").is_dir());
    let keys = config.access_keys().unwrap();
    assert_eq!((keys[0].id.as_str(), keys[0].secret.as_str()), ("i", "k"));
}

/// An S3 storage and `rest` of its keys; those begin with line 6.
fn s3(rest: &str) -> String {
    format!(
        "[[storage]]\nname = \"oss\"\nkind = \"s3\"\nurl = \"http://127.0.0.1:9000\"\naccess_key_id = \"i\"\n{rest}\n\
         [[domain]]\nname = \"live.local\""
    )
}

#[test]
fn an_s3_storage_needs_a_url_a_key_and_one_secret() {
    let config = parse(&s3("access_key_secret = \"hunter2\"")).unwrap();
    let Kind::S3(service) = &config.storages[0].kind else { panic!("{:?}", config.storages) };
    assert_eq!((service.region.as_str(), service.path_style), ("us-east-1", None));
    assert_eq!((&config.storages[0].buckets, config.storages[0].create_buckets), (&None, false));
    let stores = config.stores(|| Wall(0)).unwrap();
    assert_eq!((stores.all.len(), stores.services[0].name()), (1, "oss"));
    let shown = format!("{config:?}{}{:?}", config.resolved(), stores.services);
    assert!(shown.contains("\"us-east-1\"") && !shown.contains("hunter2"), "{shown}");
    assert_eq!(parse(&config.resolved()).unwrap().resolved(), config.resolved());

    wrong(&s3(""), &["m.toml:1: storage.access_key_secret: is missing, and so is access_key_secret_file"]);
    wrong(
        &s3("access_key_secret = \"a\"\naccess_key_secret_file = \"b\""),
        &["m.toml:7: storage.access_key_secret_file: is there beside access_key_secret: one of them"],
    );
    wrong(
        "[[storage]]\nname = \"oss\"\nkind = \"s3\"\naccess_key_secret = \"s\"\npath = \"x\"",
        &[
            "m.toml:1: storage.url: is missing",
            "m.toml:1: storage.access_key_id: is missing",
            "m.toml:5: storage.path: unknown key; known here: kind, name, buckets, create_buckets, endpoints, \
             public_url, url, region, path_style, access_key_id, access_key_secret, access_key_secret_file",
        ],
    );
    let url = "expected \"http://HOST\" or \"https://HOST\", with a port if need be";
    for bad in ["minio:9000", "http://", "https://minio/bucket", "https://user:pass@minio", "ftp://minio"] {
        let text = s3("access_key_secret = \"s\"").replace("http://127.0.0.1:9000", bad);
        wrong(&text, &[&format!("m.toml:4: storage.url: {url}")]);
    }
}

#[test]
fn the_secret_of_an_s3_storage_may_be_in_a_file_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let (file, secret) = (folder.path().join("m.toml"), folder.path().join("secret"));
    std::fs::write(&file, s3(&format!("access_key_secret_file = {:?}", secret.display().to_string())))
        .unwrap();
    let load = || Config::load(Some(&file), iter::empty());
    let missing = load().unwrap_err().to_string();
    let place = format!("{}:6: storage.access_key_secret_file: {}: ", file.display(), secret.display());
    assert!(missing.starts_with(&place), "{missing}");
    std::fs::write(&secret, " \n").unwrap();
    assert_eq!(load().unwrap_err().to_string(), format!("{place}is empty"));
    std::fs::write(&secret, "hunter2\n").unwrap();
    let config = load().unwrap();
    assert_eq!(config.stores(|| Wall(0)).unwrap().services.len(), 1);
    assert!(!format!("{config:?}{}", config.resolved()).contains("hunter2"));
}

#[test]
fn buckets_of_an_s3_storage_are_its_own_affair_unless_they_are_named() {
    let template = "\n[[snapshot]]\ndomain_name = \"live.local\"\napp_name = \"*\"\ntime_interval = 5\n\
                    oss_endpoint = \"oss\"\noss_bucket = \"any\"\noverwrite_oss_object = \"a.jpg\"\n";
    assert!(parse(&format!("{}{template}", s3("access_key_secret = \"s\""))).is_ok());
    let named = s3("access_key_secret = \"s\"\nbuckets = [\"live\"]");
    let error = parse(&format!("{named}{template}")).unwrap_err().to_string();
    assert!(error.contains("InvalidOssBucket.NotFound"), "{error}");
}

#[test]
fn what_would_be_less_safe_than_it_says_is_an_error() {
    wrong("[tls]\ncert = \"a.pem\"", &["m.toml:1: tls.key: is missing: the private key of the certificate"]);
    wrong("[tls]\nkey = \"a.pem\"", &["m.toml:1: tls.cert: is missing: the certificate of the key"]);
    assert!(parse("[tls]\ncert = \"\"\nkey = \"\"").unwrap().tls.is_none());
    wrong(
        "[[domain]]\nname = \"a\"\nauth_key = \"k\"",
        &["m.toml:3: domain.auth_key: is not available yet: publishes would go unchecked"],
    );
    wrong(
        "[[access_key]]\nid = \"a\"\nsecret = \"b\"\n[[access_key]]\nid = \"a\"\nsecret = \"c\"",
        &["m.toml:5: access_key.id: is the id of another access key"],
    );
    wrong(
        "[database]\nurl = \"postgres://me:hunter2@db/x\"",
        &["m.toml:2: database.url: expected \"sqlite://PATH\""],
    );
}

#[test]
fn what_only_has_no_effect_yet_is_a_warning() {
    let text = format!("{BASE}[[pull]]\nx = 1\n[[transcode]]\n");
    let config = parse(&text).unwrap();
    assert_eq!(
        config.warnings,
        ["m.toml:11: transcode: is not available yet", "m.toml:9: pull: is not available yet",]
    );
    let text = format!(
        "{BASE}[[package]]\ndomain_name = \"live.local\"\napp_name = \"*\"\nstream_name = \"*\"\nprotocol = \"LLHLS_TS\"\nignore_transcode = false"
    );
    assert_eq!(
        parse(&text).unwrap().warnings,
        ["m.toml:9: package: packaging of transcoded streams is not available yet"]
    );
}

#[test]
fn the_environment_wins_over_the_file() {
    let config = with_env(SHIPPED, "MILLRACE__HTTP__LISTEN", "127.0.0.1:9000").unwrap();
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:9000");
    let config = with_env(SHIPPED, "MILLRACE__LIMITS__STREAMS", "7").unwrap();
    assert_eq!(config.limits.streams, 7);
    let config = with_env(SHIPPED, "MILLRACE__API__THROTTLE", "false").unwrap();
    assert!(!config.api.throttle);
    let config = with_env("", "MILLRACE__LIMITS__WINDOW_BYTES", "64MiB").unwrap();
    assert_eq!(config.limits.window_bytes, 64 << 20);
    assert!(with_env(SHIPPED, "MILLRACE_TEST_S3_URL", "x").is_ok());
    assert!(with_env(SHIPPED, "PATH", "x").is_ok());
}

#[test]
fn a_wrong_variable_is_named() {
    wrong_env(
        "MILLRACE__HTTP__LISTEN",
        "here",
        "MILLRACE__HTTP__LISTEN: http.listen: expected an address and a port such as \"0.0.0.0:8080\", found \"here\"",
    );
    wrong_env(
        "MILLRACE__HTTP__LISTE",
        "x",
        "MILLRACE__HTTP__LISTE: http.liste: unknown key, did you mean \"listen\"?",
    );
    wrong_env(
        "MILLRACE__HTPP__LISTEN",
        "x",
        "MILLRACE__HTPP__LISTEN: htpp: unknown key, did you mean \"http\"?",
    );
    wrong_env(
        "MILLRACE__STORAGE__PATH",
        "x",
        "MILLRACE__STORAGE__PATH: storage.path: no variable can stand for this: only keys outside [[ ]] have one",
    );
    wrong_env(
        "MILLRACE__HTTP",
        "x",
        "MILLRACE__HTTP: http: no variable can stand for this: only keys outside [[ ]] have one",
    );
    let line = 1 + SHIPPED.lines().position(|line| line == "key = \"\"").unwrap();
    let missing = format!("m.toml:{line}: tls.key: is missing: the private key of the certificate");
    wrong_env("MILLRACE__TLS__CERT", "a.pem", &missing);
}

#[test]
fn a_policy_file_is_read_when_the_config_is() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let policy = write(
        "p.json",
        r#"{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "live:Describe*", "Resource": "*"}]}"#,
    );
    let key = |policy: &Path| {
        format!(
            "[[access_key]]\nid = \"a\"\nsecret = \"b\"\npolicy = {:?}\n[[domain]]\nname = \"a.tv\"",
            policy.display().to_string()
        )
    };
    let config = Config::load(Some(&write("good.toml", &key(&policy))), iter::empty()).unwrap();
    assert!(matches!(config.access_keys().unwrap()[0].policy, dialect::policy::Policy::Document(_)));
    let domain = config.catalog.host("a.tv").unwrap();
    assert!(domain.stamp.created.0 > 0, "declared when the file was last changed");

    for wrong in [write("q.json", "{"), folder.path().join("none.json")] {
        let error = Config::load(Some(&write("bad.toml", &key(&wrong))), iter::empty()).unwrap_err();
        assert!(error.lines()[0].contains("bad.toml:4: access_key.policy: "), "{error}");
    }
}

#[test]
fn notifications_of_the_file_are_declared() {
    let text = format!(
        "{BASE}[[snapshot_notify]]\ndomain_name = \"live.local\"\nnotify_url = \"http://10.0.0.1/\"\n"
    );
    let config = parse(&text).unwrap();
    assert_eq!(
        config.catalog.snapshot_notifies().of_domain("live.local").unwrap().rule.url,
        "http://10.0.0.1/"
    );
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    let unsafe_url = "m.toml:11: snapshot_notify.notify_url: is a private address, and callbacks.deny_private is set \
                      (MalformedParam)";
    wrong(&format!("{text}[callbacks]\ndeny_private = true"), &[unsafe_url]);
}

#[test]
fn secrets_are_masked_wherever_the_config_is_shown() {
    let text =
        "[[access_key]]\nid = \"a\"\nsecret = \"hunter2\"\ntoken = \"hunter2\"\n[[domain]]\nname = \"a\"";
    let config = parse(text).unwrap();
    assert_eq!(config.access_keys[0].secret.expose(), "hunter2");
    let shown = format!("{config:?}{}", config.resolved());
    assert!(shown.contains("***") && !shown.contains("hunter2"), "{shown}");
    let notify = "\n[[record_notify]]\ndomain_name = \"a\"\nnotify_url = \"http://x\"\n\
                  notify_req_auth = true\nnotify_auth_key = \"hunter2hunter2hunter2\"";
    let config = parse(&format!("{text}{notify}")).unwrap();
    let resolved = config.resolved();
    assert!(!format!("{config:?}").contains("hunter2"));
    assert!(resolved.contains("notify_auth_key") && !resolved.contains("hunter2"), "{resolved}");
    assert!(parse(&resolved).is_ok());
    let error = parse(&text.replace("\"hunter2\"", "[\"hunter2\"]")).unwrap_err().to_string();
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn the_resolved_config_reads_back_as_itself() {
    let resolved = parse(SHIPPED).unwrap().resolved();
    let again = parse(&resolved).unwrap();
    assert_eq!(again.resolved(), resolved);
    assert_eq!(outputs(&again), ["package", "record/m3u8", "record/flv", "snapshot"]);
}

#[test]
fn no_mutation_of_the_config_brings_the_process_down() {
    // A plain generator: the same mutations in every run.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let pieces =
        ["[", "]", "[[", "\"", "=", "\n", "{", "}", "'''", "-1", "9e9", "é", "\0", ".", "1979-05-27"];
    for _ in 0..2_000 {
        let mut bytes = SHIPPED.as_bytes().to_vec();
        for _ in 0..=random(3) {
            let start = random(bytes.len());
            let end = (start + random(40)).min(bytes.len());
            let piece = pieces[random(pieces.len())];
            bytes.splice(start..end, piece.bytes());
        }
        let _ = parse(&String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn deep_nesting_is_an_error() {
    assert!(parse(&format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000))).is_err());
    assert!(parse(&format!("a = {}", "{b=".repeat(100_000))).is_err());
    assert!(parse(&format!("[{}a]", "a.".repeat(100_000))).is_err());
    assert!(parse(&format!("{}a = 1", "a.".repeat(100_000))).is_err());
    assert!(with_env("", &format!("MILLRACE{}", "__A".repeat(10_000)), "").is_err());
}
