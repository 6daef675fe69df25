//! A store that is away while a recording runs.

use std::path::PathBuf;

use super::material::{Material, RATE};
use super::proxy::{Mode, Proxy};
use super::{FORMATS, Template, account, recordings};
use crate::encoder::Push;
use crate::machine::{Server, wait_for};
use crate::s3::service::{self, Service};

/// Templates that store in a service behind something.
pub fn templates(url: &str, template: &Template<'_>) -> String {
    let storage = service::storage(url, service::ID, service::SECRET, true);
    let template = template.text().replace("oss-local", "service").replace("live-bucket", service::BUCKET);
    format!("{storage}{template}")
}

#[test]
fn a_store_that_hangs_fails_breaks_off_and_refuses_costs_nothing() {
    let service = Service::in_process(0);
    let proxy = Proxy::start(&service.url, Mode::Well);
    let folder = tempfile::tempdir().unwrap();
    let source = Material::encode(folder.path(), 14, 12);
    let server = Server::start(&templates(&proxy.url, &Template { cycle_s: 5, ..Template::default() }));
    let push = Push::start(&source.file, &server.publish_url("live", "s"));
    let modes = [Mode::Resets, Mode::Hangs, Mode::Fails, Mode::Slow, Mode::Refuses];
    for (at, mode) in modes.into_iter().enumerate() {
        // Slices of 5 s and files of 5 s come and go meanwhile.
        super::wait_for_pictures(&server, &["s"], (5 + at * 2) * RATE - RATE / 2);
        proxy.set(mode);
    }
    push.succeed();
    server.close_recordings("live", "s");
    proxy.set(Mode::Well);
    wait_for("three files in each format", || {
        let keys = service.keys("");
        let files = |format: &&str| {
            let suffix = if super::is_sliced(format) { ".m3u8" } else { &format!(".{format}") };
            let named = |key: &&String| {
                key.starts_with(*format)
                    && key.ends_with(suffix)
                    && !key.contains("_video.")
                    && !key.contains("_audio.")
            };
            keys.iter().filter(named).count() == 3
        };
        FORMATS.iter().all(files).then_some(())
    });
    let objects = service.download();
    for format in FORMATS {
        let files: Vec<PathBuf> = recordings(objects.path(), format, "live", "s");
        source.sent.assert_same(&account(format, &files), format);
    }
    let keys = service.keys("");
    assert!(keys.iter().all(|key| !key.contains('~')), "what was sent again has its own name: {keys:#?}");
    assert!(super::metric(&server, "millrace_delivery_failures_total") > 0.0, "the store was away");
}
