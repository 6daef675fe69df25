use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    AppName, BehaviorVersion, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
    StalledStreamProtectionConfig,
};
use aws_sdk_s3::{Client, Config};
use aws_smithy_async::time::TimeSource;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use media::Wall;

use super::{Settings, Style};

/// A connection that nobody used for so long is closed by us, before the service does it while we begin to use it.
const IDLE: Duration = Duration::from_secs(15);

/// The SDK, with everything off that is somebody else's work here: `delivery` retries, [`super::progress`] sees
/// whether an upload gets on, and a wrong clock is told to the operator instead of being worked around.
pub(super) fn client(settings: &Settings, style: Style) -> Client {
    let Settings { url, region, access_key_id, access_key_secret, clock, .. } = settings;
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).pool_idle_timeout(IDLE);
    let timeouts = TimeoutConfig::builder().connect_timeout(settings.connect).build();
    let mut config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http.build_https())
        .endpoint_url(url)
        .region(Region::new(region.clone()))
        .force_path_style(style == Style::Path)
        .credentials_provider(Credentials::new(access_key_id, access_key_secret, None, None, "millrace"))
        .time_source(Clock(*clock))
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts)
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .disable_clock_skew_correction(true)
        // OSS and OBS refuse `aws-chunked`, which a checksum that nobody asked for brings along.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .disable_s3_express_session_auth(true);
    config.set_app_name(AppName::new("millrace").ok());
    Client::from_conf(config.build())
}

/// The server's clock, for signatures.
#[derive(Debug)]
struct Clock(fn() -> Wall);

impl TimeSource for Clock {
    fn now(&self) -> SystemTime {
        let Wall(micros) = (self.0)();
        UNIX_EPOCH + Duration::from_micros(u64::try_from(micros).unwrap_or_default())
    }
}
