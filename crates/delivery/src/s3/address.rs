use std::net::IpAddr;

/// Where a request says which bucket it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// In the path: `http://host/bucket/key`.
    Path,
    /// In the host: `https://bucket.host/key`.
    Host,
}

impl Style {
    /// What a service at `url` most likely wants: the path where no name can stand before the host (an address,
    /// `localhost`, a host without dots), the host everywhere else, because the clouds take nothing else.
    pub fn of(url: &str) -> Self {
        let host = host(url);
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
        match address || !host.contains('.') {
            true => Self::Path,
            false => Self::Host,
        }
    }
}

/// The host of a URL, without port.
pub(super) fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let authority = authority.rsplit('@').next().unwrap_or(authority);
    // The port is behind the last colon, but those of an IPv6 address are within brackets.
    match authority.rsplit_once(':') {
        Some((host, port)) if port.chars().all(|c| c.is_ascii_digit()) => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bucket_is_in_the_path_where_no_name_can_stand_before_the_host() {
        for url in [
            "http://127.0.0.1:9000",
            "http://10.1.2.3",
            "http://[::1]:9000/",
            "http://[fd00::1]",
            "http://localhost:9000",
            "https://minio",
            "http://minio:9000/x.y",
        ] {
            assert_eq!(Style::of(url), Style::Path, "{url}");
        }
    }

    #[test]
    fn the_bucket_is_in_the_host_elsewhere() {
        for url in [
            "https://oss-cn-shanghai.aliyuncs.com",
            "https://obs.cn-north-4.myhuaweicloud.com/",
            "https://s3.eu-central-1.amazonaws.com:443",
            "http://minio.example.org:9000",
        ] {
            assert_eq!(Style::of(url), Style::Host, "{url}");
        }
    }

    #[test]
    fn a_host_is_what_stands_between_scheme_and_port() {
        assert_eq!(host("http://[::1]:9000/a"), "[::1]");
        assert_eq!(host("http://a.b:80?x"), "a.b");
        assert_eq!(host("a.b"), "a.b");
    }
}
