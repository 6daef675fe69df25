use container::amf0::Value;

use crate::Capabilities;

/// The most arguments kept of a query; the rest is dropped.
const MAX_ARGS: usize = 64;
/// The most bytes kept of what the client calls itself.
const MAX_CLIENT: usize = 128;

/// What a client wants to publish.
pub type Publish = Request;
/// What a client wants to play.
pub type Play = Request;

/// A stream by the names the client used, nothing checked: `media::StreamId::parse` does that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Host of tcUrl, without port and IPv6 brackets.
    pub tc_host: Option<String>,
    /// App, without query and slashes around it. Nested apps keep theirs inside (`a/b`).
    pub app: String,
    /// Stream name, without query.
    pub stream: String,
    /// Arguments of the queries of app (of tcUrl if app has none) and then of stream, percent-decoded, in
    /// order, 64 at most. `vhost` is among them.
    pub args: Vec<(String, String)>,
    /// The last `vhost` argument that is not empty.
    pub vhost: Option<String>,
    /// flashVer: what the client calls itself, cut at 128 bytes.
    pub client: String,
    /// What the client says of Enhanced RTMP, if anything.
    pub enhanced: Option<Capabilities>,
}

/// What `connect` said.
#[derive(Clone, Debug, Default)]
pub struct Connect {
    host: Option<String>,
    app: String,
    args: Vec<(String, String)>,
    client: String,
    enhanced: Option<Capabilities>,
}

impl Connect {
    /// Reads the command object of `connect`; what it lacks stays empty.
    pub fn new(object: &Value) -> Self {
        let text = |name| object.get(name).and_then(Value::as_str).unwrap_or_default();
        let (app, query) = split_query(text("app"));
        let (url, url_query) = split_query(text("tcUrl"));
        let mut args = Vec::new();
        parse_args(query.or(url_query), &mut args);
        let client = text("flashVer");
        let client = client.get(..client.floor_char_boundary(MAX_CLIENT)).unwrap_or_default();
        let app = app.trim_matches('/').to_owned();
        let enhanced = Capabilities::read(object);
        Self { host: host(url), app, args, client: client.to_owned(), enhanced }
    }

    /// The request for `name`, which may carry a query.
    pub fn request(&self, name: &str) -> Request {
        let (stream, query) = split_query(name);
        let mut args = self.args.clone();
        parse_args(query, &mut args);
        let vhost = args.iter().rev().find(|(name, value)| name == "vhost" && !value.is_empty());
        Request {
            tc_host: self.host.clone(),
            app: self.app.clone(),
            stream: stream.to_owned(),
            vhost: vhost.map(|(_, value)| value.clone()),
            args,
            client: self.client.clone(),
            enhanced: self.enhanced.clone(),
        }
    }

    /// Whether the client says anything of Enhanced RTMP.
    pub fn is_enhanced(&self) -> bool {
        self.enhanced.is_some()
    }
}

fn split_query(text: &str) -> (&str, Option<&str>) {
    text.split_once('?').map_or((text, None), |(text, query)| (text, Some(query)))
}

/// Host of `rtmp://user@host:port/…`; `None` without a scheme or a host.
fn host(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = match host.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next()?,
        None => host.split(':').next()?,
    };
    (!host.is_empty()).then(|| host.to_owned())
}

fn parse_args(query: Option<&str>, args: &mut Vec<(String, String)>) {
    let pairs = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let room = MAX_ARGS.saturating_sub(args.len());
    args.extend(pairs.take(room).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (percent_decode(name), percent_decode(value))
    }));
}

/// Decodes `%41`; a `%` without two hex digits stands for itself, and so does `+`: tokens hold them.
fn percent_decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.split_first_chunk::<2>().filter(|_| byte == b'%');
        let decoded = digits.and_then(|(&[high, low], after)| Some((hex(high)? << 4 | hex(low)?, after)));
        let (byte, after) = decoded.unwrap_or((byte, after));
        out.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| value.try_into().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connect(app: &str, url: &str) -> Connect {
        let text = |name: &str, text: &str| (name.to_owned(), Value::from(text));
        Connect::new(&Value::Object(vec![text("app", app), text("tcUrl", url), text("flashVer", "FMLE/3.0")]))
    }

    #[track_caller]
    fn check_host(url: &str, expected: Option<&str>) {
        assert_eq!(connect("live", url).request("s").tc_host.as_deref(), expected);
    }

    #[test]
    fn the_host_of_tc_url_is_without_port_user_and_brackets() {
        check_host("rtmp://push.example.com/live", Some("push.example.com"));
        check_host("rtmps://push.example.com:1936/live?x=@", Some("push.example.com"));
        check_host("rtmp://[2001:db8::1]:1935/live", Some("2001:db8::1"));
        check_host("rtmp://[::1]", Some("::1"));
        check_host("rtmp://user:secret@h:1/live", Some("h"));
        check_host("rtmp://h?vhost=a", Some("h"));
        check_host("rtmp:///live", None);
        check_host("", None);
    }

    #[test]
    fn queries_of_app_and_stream_become_arguments_in_order() {
        let request =
            connect("/live/?a=1&vhost=v1", "rtmp://h/live?ignored=1").request("s?vhost=v%32&b&&c=%zz+");
        assert_eq!((request.app.as_str(), request.stream.as_str()), ("live", "s"));
        let pairs: Vec<_> = request.args.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(pairs, [("a", "1"), ("vhost", "v1"), ("vhost", "v2"), ("b", ""), ("c", "%zz+")]);
        assert_eq!(request.vhost.as_deref(), Some("v2"));
        assert_eq!(request.client, "FMLE/3.0");
    }

    #[test]
    fn the_query_of_tc_url_counts_when_app_has_none() {
        let request = connect("a/b/", "rtmp://h/a/b?vhost=%E4%BD%A0").request("s?vhost=");
        assert_eq!((request.app.as_str(), request.vhost.as_deref()), ("a/b", Some("你")));
    }

    #[test]
    fn what_a_client_sends_too_much_of_is_cut() {
        let object = vec![("flashVer".to_owned(), Value::String("é".repeat(100)))];
        let request = Connect::new(&Value::Object(object)).request(&format!("s?{}", "a&".repeat(1000)));
        assert_eq!((request.args.len(), request.client.len()), (64, 128));
    }

    #[test]
    fn a_connect_without_an_object_leaves_everything_empty() {
        let request = Connect::new(&Value::Null).request("s");
        assert_eq!(request, Request { stream: "s".into(), ..Request::default() });
    }
}
