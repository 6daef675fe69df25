//! A call as it comes in, and the answer to it (wire reference §1 and §3).

use std::fmt;

use serde_json::{Map, Value, json};

use super::{HOST_ID, Operation, Params, Refusal, Request, ops, v1, v3, xml};
use crate::http::Response;
use crate::keys::KeyLookup;
use crate::percent;
use media::Wall;

/// Most parameters that are read. A call with more is refused: the largest operation has about 100.
pub const MAX_PARAMETERS: usize = 1_000;

/// Longest nonce in bytes; SDKs send 32 to 36. Nonces are kept for as long as they could be sent again.
const MAX_NONCE: usize = 256;

/// In what form the answer goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `Format=JSON`, and every V3 call.
    Json,
    /// `Format=XML`, and a V1 call without `Format`.
    Xml,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    /// HMAC-SHA1 in the parameters; also what is not signed at all, so that it says what is missing.
    V1,
    /// `Authorization: ACS3-…`
    V3,
}

/// One call: which operation, with which parameters, and how to answer it.
#[derive(Clone, Debug)]
pub struct Call {
    action: String,
    version: String,
    format: Format,
    scheme: Scheme,
    params: Params,
    overfull: bool,
}

/// Who signed a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Access key id.
    pub key_id: String,
    /// The signature's nonce: with the key id it must not have come within [`super::CLOCK_WINDOW_S`] before.
    pub nonce: String,
}

impl Call {
    /// Reads `request`: parameters of query and form together, the query's first. Nothing is refused here, so
    /// that whatever is refused later has a form to be said in.
    pub fn read(request: &Request) -> Self {
        let scheme = match v3::is_signed(request) {
            true => Scheme::V3,
            false => Scheme::V1,
        };
        let mut pairs: Vec<_> =
            percent::pairs(&request.query).chain(form(request)).take(MAX_PARAMETERS + 1).collect();
        let overfull = pairs.len() > MAX_PARAMETERS;
        pairs.truncate(MAX_PARAMETERS);
        let params = Params::new(pairs);
        let named = |header: &str, param: &str| match scheme {
            Scheme::V3 => request.header(header).map(|value| value.trim().to_owned()),
            Scheme::V1 => params.string(param),
        };
        let action = named("x-acs-action", "Action").unwrap_or_default();
        let version = named("x-acs-version", "Version").unwrap_or_default();
        let format = format(scheme, &params);
        Self { action, version, format, scheme, params, overfull }
    }

    /// The operation's name as the caller wrote it; empty when there is none.
    pub fn action(&self) -> &str {
        &self.action
    }

    /// The product's version as the caller wrote it.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// In what form it is answered.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Its parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Verifies the signature and its time. The nonce is the shell's to check, and the key's policy.
    ///
    /// # Errors
    /// What the gateway would refuse it with.
    pub fn authenticate(
        &self,
        request: &Request,
        keys: &dyn KeyLookup,
        now: Wall,
    ) -> Result<Caller, Refusal> {
        if !matches!(request.method.as_str(), "GET" | "POST") {
            let message = "This http method is not supported: use GET or POST.";
            return Err(Refusal::new(400, "UnsupportedHTTPMethod", message));
        }
        if self.overfull {
            let message = format!("The request has more than {MAX_PARAMETERS} parameters.");
            return Err(Refusal::new(400, "InvalidParameter", message));
        }
        let caller = match self.scheme {
            Scheme::V1 => v1::verify(request, &self.params, keys, now)?,
            Scheme::V3 => v3::verify(request, keys, now)?,
        };
        match caller.nonce.len() <= MAX_NONCE {
            true => Ok(caller),
            false => Err(Refusal::invalid_common("SignatureNonce")),
        }
    }

    /// The operation that it names. Asked after [`Call::authenticate`]: strangers are told nothing.
    ///
    /// # Errors
    /// A version or a name that is none.
    pub fn operation(&self) -> Result<&'static Operation, Refusal> {
        ops::find(&self.version, &self.action)
    }

    /// The answer: `result` with the request id, in the call's form. A result that is no JSON object is left
    /// out. `request_id` is an upper-case UUID.
    pub fn answer(&self, result: Result<Value, Refusal>, request_id: &str) -> Response {
        match result {
            Ok(value) => self.body(200, &format!("{}Response", self.action), with_id(value, request_id)),
            Err(refusal) => self.refuse(&refusal, request_id),
        }
    }

    /// `<action>Response` names only operations that exist: the root of an error is always `Error`.
    fn refuse(&self, refusal: &Refusal, request_id: &str) -> Response {
        let body = json!({ "HostId": HOST_ID, "Code": refusal.code, "Message": refusal.message });
        let mut response = self.body(refusal.status, "Error", with_id(body, request_id));
        if let Some(wait) = refusal.retry_after_ms {
            response.headers.push(("x-acs-retry-after", wait.to_string()));
        }
        response
    }

    fn body(&self, status: u16, root: &str, value: Value) -> Response {
        match self.format {
            // One SDK takes an XML error only with exactly this type, without a blank.
            Format::Xml => Response::new(status, "text/xml;charset=utf-8", xml::render(root, &value)),
            Format::Json => {
                Response::new(status, "application/json;charset=utf-8", value.to_string().into_bytes())
            }
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.version, self.action)
    }
}

fn with_id(value: Value, request_id: &str) -> Value {
    let mut fields = match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    fields.insert("RequestId".to_owned(), request_id.into());
    Value::Object(fields)
}

/// V3 answers JSON whatever `Format` says; in V1 XML is what an absent `Format` means (wire reference §3).
fn format(scheme: Scheme, params: &Params) -> Format {
    match (scheme, params.text("Format")) {
        (Scheme::V3, _) => Format::Json,
        (Scheme::V1, Some(format)) if !format.eq_ignore_ascii_case("xml") => Format::Json,
        (Scheme::V1, _) => Format::Xml,
    }
}

/// The pairs of a form body. A body of another type than a form has none.
fn form(request: &Request) -> Vec<(String, String)> {
    let is_form = request.header("content-type").is_none_or(|kind| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    });
    match is_form {
        true => percent::pairs(&String::from_utf8_lossy(&request.body)).take(MAX_PARAMETERS + 1).collect(),
        false => Vec::new(),
    }
}
