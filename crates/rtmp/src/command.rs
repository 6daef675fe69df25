//! Commands (RTMP 1.0 §7.2): a name, a transaction, a command object and arguments, as AMF0.

use bytes::Bytes;
use container::amf0::{self, Value};

use crate::Error;

/// A command as it was received.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// Its name.
    pub name: String,
    /// Which answer belongs to it; 0 wants none.
    pub transaction: f64,
    /// The command object; Null if there was none.
    pub object: Value,
    /// What follows it.
    pub args: Vec<Value>,
}

impl Command {
    /// Reads the payload of a message of type 20, or of type 17: that one is AMF0 after a 0 byte, too.
    /// `None` if it does not begin with a name. A fault after the name hides only what comes after it.
    ///
    /// Errors: [`Error::Amf`] if it nests too deep or holds too many values.
    pub fn read(payload: &[u8]) -> Result<Option<Command>, Error> {
        let values = read_values(payload)?;
        let mut values = values.into_iter();
        let Some(Value::String(name)) = values.next() else { return Ok(None) };
        let transaction = values.next().and_then(|value| value.as_number()).unwrap_or(0.0);
        let object = values.next().unwrap_or(Value::Null);
        Ok(Some(Command { name, transaction, object, args: values.collect() }))
    }
}

/// The values of a command or data message up to the first fault; see [`Command::read`].
pub fn read_values(payload: &[u8]) -> Result<Vec<Value>, Error> {
    // marker 0 is a number, and no command or data message begins with one
    let bytes = payload.strip_prefix(&[0]).unwrap_or(payload);
    match amf0::decode_prefix(bytes) {
        (_, Some(fault @ (amf0::Error::TooDeep { .. } | amf0::Error::TooManyValues { .. }))) => {
            Err(fault.into())
        }
        (values, _) => Ok(values),
    }
}

/// The payload of a command or data message of `values`.
pub fn encode(values: &[Value]) -> Bytes {
    let mut out = Vec::new();
    values.iter().for_each(|value| amf0::encode(value, &mut out));
    out.into()
}

/// An object of these properties.
pub fn object<const N: usize>(properties: [(&str, Value); N]) -> Value {
    Value::Object(properties.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}
