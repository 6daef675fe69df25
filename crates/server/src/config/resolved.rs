//! The config as TOML, defaults written out, secrets masked.

use std::fmt::Write;

use catalog::record::FormatRule;
use catalog::{
    Domain, PackageRule, RecordNotifyRule, RecordRule, SecondPublisher, SnapshotNotifyRule, SnapshotRule,
};

use output::name::Variable;

use super::value::{show_duration, show_size};
use super::{AccessKey, Config, Kind, LogFormat, Policy, S3, SecretSource, Storage};

/// In place of a signing key: as long as one must be, so that what is shown can be read back.
const MASKED_KEY: &str = "xxxxxxxxxxxxxxxx";

pub(super) fn show(config: &Config) -> String {
    let mut out = Toml::default();
    sections(config, &mut out);
    config.storages.iter().for_each(|it| storage(it, &mut out));
    config.catalog.domains().iter().for_each(|it| domain(it, &mut out));
    config.access_keys.iter().for_each(|it| access_key(it, &mut out));
    config.catalog.snapshots().all().for_each(|it| snapshot(&it.rule, &mut out));
    config.catalog.records().all().for_each(|it| record(&it.rule, &mut out));
    config.catalog.packages().all().for_each(|it| package(&it.rule, &mut out));
    config.catalog.record_notifies().all().for_each(|it| record_notify(&it.rule, &mut out));
    config.catalog.snapshot_notifies().all().for_each(|it| snapshot_notify(&it.rule, &mut out));
    out.0.trim_start().to_owned()
}

fn sections(config: &Config, out: &mut Toml) {
    out.head("[server]");
    out.text("data_dir", &config.server.data_dir.display().to_string());
    out.text("shutdown_timeout", &show_duration(config.server.shutdown_timeout));
    out.head("[rtmp]");
    out.text("listen", &config.rtmp.listen.to_string());
    out.head("[http]");
    out.text("listen", &config.http.listen.to_string());
    out.text("tls_listen", &config.http.tls_listen.to_string());
    out.text("reconnect_window", &show_duration(config.http.reconnect_window));
    out.head("[api]");
    out.text("listen", &config.api.listen.to_string());
    out.text("tls_listen", &config.api.tls_listen.to_string());
    out.text("project_id", &config.api.project_id);
    out.text("account_id", &config.api.account_id);
    out.plain("throttle", config.api.throttle);
    if let Some(tls) = &config.tls {
        out.head("[tls]");
        out.text("cert", &tls.cert.display().to_string());
        out.text("key", &tls.key.display().to_string());
    }
    out.head("[database]");
    out.text("url", &config.database.url);
    out.head("[log]");
    out.text("format", if config.log.format == LogFormat::Json { "json" } else { "text" });
    out.text("level", &config.log.level);
    limits(config, out);
    out.head("[callbacks]");
    out.plain("deny_private", config.callbacks.deny_private);
    let options = &config.catalog.known().options;
    out.head("[compat]");
    out.plain("record_name_utc_offset", options.record_name_utc_offset / 3600);
    out.plain("snapshot_both_names", options.snapshot_both_names);
}

fn limits(config: &Config, out: &mut Toml) {
    let limits = &config.limits;
    out.head("[limits]");
    out.plain("connections", limits.connections);
    out.plain("connections_per_address", limits.connections_per_address);
    out.plain("pending_connections", limits.pending_connections);
    out.plain("http_connections", limits.http_connections);
    out.plain("streams", limits.streams);
    out.text("window_bytes", &show_size(limits.window_bytes));
    out.text("delivery_bytes", &show_size(limits.delivery_bytes as u64));
    if let Some(spool_bytes) = limits.spool_bytes {
        out.text("spool_bytes", &show_size(spool_bytes));
    }
    out.text("spool_free_bytes", &show_size(limits.spool_free_bytes));
    out.plain("picture_workers", limits.picture_workers);
    out.plain("picture_queue", limits.picture_queue);
}

fn storage(storage: &Storage, out: &mut Toml) {
    out.head("[[storage]]");
    out.text("name", &storage.name);
    match &storage.kind {
        Kind::Fs(path) => {
            out.text("kind", "fs");
            out.text("path", &path.display().to_string());
        }
        Kind::S3(service) => s3(service, out),
    }
    if let Some(buckets) = &storage.buckets {
        out.list("buckets", buckets);
    }
    out.plain("create_buckets", storage.create_buckets);
    out.list("endpoints", &storage.endpoints);
    if let Some(url) = &storage.public_url {
        out.text("public_url", url);
    }
}

fn s3(service: &S3, out: &mut Toml) {
    out.text("kind", "s3");
    out.text("url", &service.url);
    out.text("region", &service.region);
    if let Some(path_style) = service.path_style {
        out.plain("path_style", path_style);
    }
    out.text("access_key_id", &service.access_key_id);
    match &service.access_key_secret {
        SecretSource::Given(secret) => out.text("access_key_secret", &secret.to_string()),
        SecretSource::File(path) => out.text("access_key_secret_file", &path.display().to_string()),
    }
}

fn domain(domain: &Domain, out: &mut Toml) {
    out.head("[[domain]]");
    out.text("name", domain.name());
    out.list("ingest", domain.ingest());
    out.plain("default", domain.is_default());
    let policy = match domain.second_publisher() {
        SecondPublisher::Refuse => "refuse",
        SecondPublisher::TakeOver => "take-over",
    };
    out.text("second_publisher", policy);
}

fn access_key(key: &AccessKey, out: &mut Toml) {
    out.head("[[access_key]]");
    out.text("id", &key.id);
    out.text("secret", &key.secret.to_string());
    if let Some(token) = &key.token {
        out.text("token", &token.to_string());
    }
    match &key.policy {
        Policy::Full => out.text("policy", "full"),
        Policy::Read => out.text("policy", "read"),
        Policy::File(path) => out.text("policy", &path.display().to_string()),
    }
}

fn snapshot(rule: &SnapshotRule, out: &mut Toml) {
    out.head("[[snapshot]]");
    out.text("domain_name", &rule.target.domain);
    out.text("app_name", &rule.target.app.to_string());
    out.plain("time_interval", rule.interval_s);
    out.text("oss_endpoint", &rule.store.storage);
    out.text("oss_bucket", &rule.store.name);
    if let Some(name) = &rule.overwrite {
        out.text("overwrite_oss_object", name.as_str());
    }
    if let Some(name) = &rule.sequence {
        out.text("sequence_oss_object", name.as_str());
    }
    if let Some(url) = &rule.callback {
        out.text("callback", url);
    }
}

fn record(rule: &RecordRule, out: &mut Toml) {
    out.head("[[record]]");
    out.text("domain_name", &rule.target.domain);
    out.text("app_name", &rule.target.app.to_string());
    out.text("stream_name", &rule.target.stream.to_string());
    out.text("oss_endpoint", &rule.store.storage);
    out.text("oss_bucket", &rule.store.name);
    out.plain("on_demand", rule.on_demand.number());
    out.plain("delay_time", rule.delay_s);
    if let Some(start) = rule.window.and_then(|window| window.start) {
        out.text("start_time", &catalog::record::show_moment(start));
    }
    if let Some(end) = rule.window.and_then(|window| window.end) {
        out.text("end_time", &catalog::record::show_moment(end));
    }
    if let Some(days) = rule.retention_days {
        out.plain("retention_days", days);
    }
    if !rule.transcode_templates.is_empty() {
        out.list("transcode_templates", &rule.transcode_templates);
    }
    rule.formats.iter().for_each(|it| format("[[record.record_format]]", it, out));
    rule.transcode_formats.iter().for_each(|it| format("[[record.transcode_record_format]]", it, out));
}

fn record_notify(rule: &RecordNotifyRule, out: &mut Toml) {
    out.head("[[record_notify]]");
    out.text("domain_name", &rule.target.domain);
    out.text("notify_url", &rule.url);
    out.plain("need_status_notify", rule.status);
    if let Some(url) = &rule.on_demand_url {
        out.text("on_demand_url", url);
    }
    out.plain("notify_req_auth", rule.auth_key.is_some());
    if rule.auth_key.is_some() {
        out.text("notify_auth_key", MASKED_KEY);
    }
}

fn snapshot_notify(rule: &SnapshotNotifyRule, out: &mut Toml) {
    out.head("[[snapshot_notify]]");
    out.text("domain_name", &rule.target.domain);
    out.text("notify_url", &rule.url);
    out.text("notify_req_auth", if rule.auth_key.is_some() { "yes" } else { "no" });
    if rule.auth_key.is_some() {
        out.text("notify_auth_key", MASKED_KEY);
    }
}

fn format(head: &str, rule: &FormatRule, out: &mut Toml) {
    out.head(head);
    out.text("format", rule.container.word());
    if let Some(slice) = &rule.slice {
        out.plain("slice_duration", slice.duration_s);
        out.text("slice_oss_object_prefix", slice.name.as_str());
    }
    out.plain("cycle_duration", rule.cycle_s);
    out.text("oss_object_prefix", rule.name.as_str());
}

fn package(rule: &PackageRule, out: &mut Toml) {
    out.head("[[package]]");
    out.text("domain_name", &rule.target.domain);
    out.text("app_name", &rule.target.app.to_string());
    out.text("stream_name", &rule.target.stream.to_string());
    out.text("protocol", rule.protocol.word());
    out.plain("segment_num", rule.segment_num);
    out.plain("segment_duration", rule.segment_duration_s);
    if let Some(millis) = rule.part_duration_ms {
        out.plain("part_duration", millis);
    }
    out.plain("ignore_transcode", rule.ignore_transcode);
    if let Some(put) = &rule.put {
        out.text("put_oss_endpoint", &put.store.storage);
        out.text("put_oss_bucket", &put.store.name);
        let stream = Variable::StreamName.to_string();
        let prefix = put.name.as_str();
        out.text("put_oss_prefix", prefix.strip_suffix(&stream).unwrap_or(prefix));
    }
}

#[derive(Default)]
struct Toml(String);

impl Toml {
    fn head(&mut self, head: &str) {
        self.line(format_args!("\n{head}"));
    }

    fn text(&mut self, key: &str, value: &str) {
        self.line(format_args!("{key} = {}", toml::Value::from(value)));
    }

    fn plain(&mut self, key: &str, value: impl std::fmt::Display) {
        self.line(format_args!("{key} = {value}"));
    }

    fn list(&mut self, key: &str, values: &[String]) {
        let values: Vec<_> =
            values.iter().map(|value| toml::Value::from(value.as_str()).to_string()).collect();
        self.line(format_args!("{key} = [{}]", values.join(", ")));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "{line}");
    }
}
