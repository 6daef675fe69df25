//! AMF0 (Adobe "Action Message Format -- AMF 0"): the values of RTMP commands and of FLV script tags.
//!
//! Reading is guarded: nesting and the number of values are bounded before anything is kept, so a message can
//! neither exhaust the stack nor grow into many times its size. Properties keep the order of the bytes.

mod read;
#[cfg(test)]
mod tests;
mod write;

pub use read::{Error, decode_all, decode_prefix};
pub use write::encode;

/// The deepest nesting of a message: a value directly in the message has depth 1. Beyond: [`Error::TooDeep`].
pub const MAX_DEPTH: usize = 16;

/// The most values of a message, those inside of objects and arrays counted. Beyond: [`Error::TooManyValues`].
pub const MAX_VALUES: usize = 4096;

/// Names and values of an object, in order of the bytes; a name may come twice.
pub type Properties = Vec<(String, Value)>;

/// One AMF0 value (AMF0 specification §2).
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Marker 0.
    Number(f64),
    /// Marker 1.
    Boolean(bool),
    /// Markers 2 and 12 (long string). Bytes that are not UTF-8 became U+FFFD.
    String(String),
    /// Marker 3.
    Object(Properties),
    /// Marker 5.
    Null,
    /// Marker 6.
    Undefined,
    /// Marker 7: an index into the complex values of the message, not resolved.
    Reference(u16),
    /// Marker 8. The declared count is a hint that encoders get wrong; it is not kept.
    EcmaArray(Properties),
    /// Marker 10.
    StrictArray(Vec<Value>),
    /// Marker 11: milliseconds since 1970; the time zone field is reserved and dropped.
    Date(f64),
    /// Marker 13.
    Unsupported,
    /// Marker 15.
    Xml(String),
    /// Marker 16.
    TypedObject {
        /// The class.
        name: String,
        /// Its fields.
        properties: Properties,
    },
}

impl Value {
    /// The text of a string; `None` for any other value.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number; `None` for any other value.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The properties of an object, typed object or ECMA array; `None` for any other value.
    pub fn properties(&self) -> Option<&Properties> {
        match self {
            Self::Object(properties) | Self::EcmaArray(properties) => Some(properties),
            Self::TypedObject { properties, .. } => Some(properties),
            _ => None,
        }
    }

    /// The first property of this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.properties()?.iter().find(|(n, _)| n == name).map(|(_, value)| value)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

/// AMF0 type markers (AMF0 specification §2.1).
mod marker {
    pub const NUMBER: u8 = 0;
    pub const BOOLEAN: u8 = 1;
    pub const STRING: u8 = 2;
    pub const OBJECT: u8 = 3;
    pub const NULL: u8 = 5;
    pub const UNDEFINED: u8 = 6;
    pub const REFERENCE: u8 = 7;
    pub const ECMA_ARRAY: u8 = 8;
    pub const OBJECT_END: u8 = 9;
    pub const STRICT_ARRAY: u8 = 10;
    pub const DATE: u8 = 11;
    pub const LONG_STRING: u8 = 12;
    pub const UNSUPPORTED: u8 = 13;
    pub const XML: u8 = 15;
    pub const TYPED_OBJECT: u8 = 16;
}
