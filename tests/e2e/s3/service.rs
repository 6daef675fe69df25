//! The S3 service of a story, and what is in it.

use std::path::Path;

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::{Client, Config};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::Mutex;

/// Access key of the service in this process.
pub const ID: &str = "AKIAtest";
/// Its secret.
pub const SECRET: &str = "service-hunter2";
/// Where everything goes. The server makes it.
pub const BUCKET: &str = "millrace-test";

/// The named service has one bucket for all stories, so they wait for each other.
static NAMED: Mutex<()> = Mutex::const_new(());

/// A service, empty at first; one that was named is left empty, too.
pub struct Service {
    pub url: String,
    pub id: String,
    pub secret: String,
    pub runtime: Runtime,
    client: Client,
    alone: Option<tokio::sync::MutexGuard<'static, ()>>,
    _folder: Option<tempfile::TempDir>,
}

impl Service {
    /// The service that `MILLRACE_TEST_S3_URL` names, with `MILLRACE_TEST_S3_KEY` and `MILLRACE_TEST_S3_SECRET`;
    /// one of its own for the story if none is named.
    pub fn start() -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        match variable("MILLRACE_TEST_S3_URL") {
            Some(url) => {
                let id = variable("MILLRACE_TEST_S3_KEY").expect("MILLRACE_TEST_S3_KEY");
                let secret = variable("MILLRACE_TEST_S3_SECRET").expect("MILLRACE_TEST_S3_SECRET");
                Self::named(url, id, secret)
            }
            None => Self::in_process(0),
        }
    }

    fn named(url: String, id: String, secret: String) -> Self {
        let alone = NAMED.blocking_lock();
        let client = client(&url, &id, &secret);
        let runtime = Runtime::new().unwrap();
        let service = Self { url, id, secret, runtime, client, alone: Some(alone), _folder: None };
        service.empty();
        service
    }

    /// A service of this process at that port of the loopback.
    pub fn in_process(port: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single(ID, SECRET));
        let service = builder.build();
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", port))).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let service = service.clone();
                tokio::spawn(async move {
                    let server = Builder::new(TokioExecutor::new());
                    // A client that goes away is no news.
                    let _ = server.serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        let client = client(&url, ID, SECRET);
        let (id, secret) = (ID.to_owned(), SECRET.to_owned());
        Self { url, id, secret, runtime, client, alone: None, _folder: Some(folder) }
    }

    /// Whether it is not of this process.
    pub fn is_named(&self) -> bool {
        self.alone.is_some()
    }

    /// The `[[storage]]` that reaches it.
    pub fn storage(&self) -> String {
        storage(&self.url, &self.id, &self.secret, true)
    }

    /// Makes the bucket as somebody else would.
    pub fn make_bucket(&self) {
        self.runtime.block_on(self.client.create_bucket().bucket(BUCKET).send()).unwrap();
    }

    /// Keys that begin with `prefix`; none without the bucket.
    pub fn keys(&self, prefix: &str) -> Vec<String> {
        let request = self.client.list_objects_v2().bucket(BUCKET).prefix(prefix);
        let Ok(list) = self.runtime.block_on(request.send()) else { return Vec::new() };
        assert_ne!(list.is_truncated, Some(true), "a story has fewer objects than a page");
        list.contents().iter().map(|object| object.key().unwrap().to_owned()).collect()
    }

    /// Every object as a file.
    pub fn download(&self) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for key in self.keys("") {
            let path = folder.path().join(&key);
            std::fs::create_dir_all(path.parent().unwrap_or(Path::new(""))).unwrap();
            let bytes = self.runtime.block_on(async {
                let object = self.client.get_object().bucket(BUCKET).key(&key).send().await.unwrap();
                object.body.collect().await.unwrap().into_bytes()
            });
            std::fs::write(path, bytes).unwrap();
        }
        folder
    }

    pub fn content_type(&self, key: &str) -> String {
        let head = self.client.head_object().bucket(BUCKET).key(key).send();
        self.runtime.block_on(head).unwrap().content_type.unwrap()
    }

    pub fn cache_control(&self, key: &str) -> String {
        let head = self.client.head_object().bucket(BUCKET).key(key).send();
        self.runtime.block_on(head).unwrap().cache_control.unwrap_or_default()
    }

    /// Removes the bucket and what is in it.
    fn empty(&self) {
        for key in self.keys("") {
            self.runtime.block_on(self.client.delete_object().bucket(BUCKET).key(key).send()).unwrap();
        }
        let _ = self.runtime.block_on(self.client.delete_bucket().bucket(BUCKET).send());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if self.is_named() {
            self.empty();
        }
    }
}

/// A `[[storage]]` named `service`.
pub fn storage(url: &str, id: &str, secret: &str, create_buckets: bool) -> String {
    format!(
        "[[storage]]\nname = \"service\"\nkind = \"s3\"\nurl = \"{url}\"\npath_style = true\n\
         access_key_id = \"{id}\"\naccess_key_secret = \"{secret}\"\nbuckets = [\"{BUCKET}\"]\n\
         create_buckets = {create_buckets}\n"
    )
}

fn client(url: &str, id: &str, secret: &str) -> Client {
    let http = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http.build_https())
        .endpoint_url(url)
        .region(Region::new("us-east-1"))
        .force_path_style(true)
        .credentials_provider(Credentials::new(id, secret, None, None, "test"));
    Client::from_conf(config.build())
}
