use super::{MAX_DEPTH, MAX_VALUES, Properties, Value, marker};

/// Why a message is not AMF0, or more than we read. Offsets are bytes from its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes end inside of a value.
    #[error("AMF0 {what} ends at byte {at}")]
    Truncated {
        /// What was read.
        what: &'static str,
        /// Where it should go on.
        at: usize,
    },
    /// A marker that starts no value here: reserved, AMF3 (17), or unknown.
    #[error("AMF0 marker {marker} at byte {at}")]
    Marker {
        /// The marker.
        marker: u8,
        /// Where it is.
        at: usize,
    },
    /// More than [`MAX_DEPTH`] values around each other.
    #[error("AMF0 nests deeper than {MAX_DEPTH} at byte {at}")]
    TooDeep {
        /// Where the first value too deep begins.
        at: usize,
    },
    /// More than [`MAX_VALUES`] values.
    #[error("AMF0 message of more than {MAX_VALUES} values at byte {at}")]
    TooManyValues {
        /// Where the first value too many begins.
        at: usize,
    },
}

/// Every value of the message `bytes`. The first fault fails the whole message.
pub fn decode_all(bytes: &[u8]) -> Result<Vec<Value>, Error> {
    match decode_prefix(bytes) {
        (values, None) => Ok(values),
        (_, Some(fault)) => Err(fault),
    }
}

/// The values of the message `bytes` up to its first fault, and that fault. An object or array that holds the
/// fault is kept with what was read of it.
pub fn decode_prefix(bytes: &[u8]) -> (Vec<Value>, Option<Error>) {
    let mut reader = Reader { rest: bytes, len: bytes.len(), left: MAX_VALUES, fault: None };
    let mut values = Vec::new();
    while !reader.rest.is_empty() && reader.fault.is_none() {
        values.extend(reader.value(1));
    }
    (values, reader.fault)
}

/// A cursor that remembers the first fault. Every read of it returns `None` once there is one.
struct Reader<'a> {
    rest: &'a [u8],
    /// Bytes of the whole message, to tell offsets.
    len: usize,
    /// Values that may still come.
    left: usize,
    fault: Option<Error>,
}

impl<'a> Reader<'a> {
    fn at(&self) -> usize {
        self.len - self.rest.len()
    }

    fn fail<T>(&mut self, fault: Error) -> Option<T> {
        self.fault.get_or_insert(fault);
        self.rest = &[];
        None
    }

    fn take(&mut self, n: usize, what: &'static str) -> Option<&'a [u8]> {
        match self.rest.split_at_checked(n) {
            Some((head, rest)) => {
                self.rest = rest;
                Some(head)
            }
            None => self.fail(Error::Truncated { what, at: self.len }),
        }
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Option<[u8; N]> {
        self.take(N, what)?.try_into().ok()
    }

    fn byte(&mut self, what: &'static str) -> Option<u8> {
        self.array(what).map(|[byte]| byte)
    }

    fn number(&mut self) -> Option<f64> {
        self.array("number").map(f64::from_be_bytes)
    }

    fn text(&mut self) -> Option<String> {
        let len = self.array("string length").map(u16::from_be_bytes)?;
        self.text_of(usize::from(len))
    }

    fn long_text(&mut self) -> Option<String> {
        let len = self.array("long string length").map(u32::from_be_bytes)?;
        self.text_of(usize::try_from(len).unwrap_or(usize::MAX))
    }

    fn text_of(&mut self, len: usize) -> Option<String> {
        self.take(len, "string").map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// One value; recursion ends at [`MAX_DEPTH`].
    fn value(&mut self, depth: usize) -> Option<Value> {
        let at = self.at();
        let marker = self.byte("marker")?;
        self.left = match self.left.checked_sub(1) {
            Some(left) => left,
            None => return self.fail(Error::TooManyValues { at }),
        };
        if depth > MAX_DEPTH {
            return self.fail(Error::TooDeep { at });
        }
        match marker {
            marker::NUMBER => self.number().map(Value::Number),
            marker::BOOLEAN => self.byte("boolean").map(|b| Value::Boolean(b != 0)),
            marker::STRING => self.text().map(Value::String),
            marker::NULL => Some(Value::Null),
            marker::UNDEFINED => Some(Value::Undefined),
            marker::REFERENCE => self.array("reference").map(|b| Value::Reference(u16::from_be_bytes(b))),
            marker::DATE => self.date().map(Value::Date),
            marker::LONG_STRING => self.long_text().map(Value::String),
            marker::UNSUPPORTED => Some(Value::Unsupported),
            marker::XML => self.long_text().map(Value::Xml),
            marker::OBJECT => Some(Value::Object(self.properties(depth))),
            marker::ECMA_ARRAY => self.ecma_array(depth),
            marker::STRICT_ARRAY => self.strict_array(depth),
            marker::TYPED_OBJECT => {
                let name = self.text()?;
                Some(Value::TypedObject { name, properties: self.properties(depth) })
            }
            _ => self.fail(Error::Marker { marker, at }),
        }
    }

    fn date(&mut self) -> Option<f64> {
        let millis = self.number()?;
        self.array::<2>("time zone").map(|_| millis)
    }

    fn ecma_array(&mut self, depth: usize) -> Option<Value> {
        self.array::<4>("array count")?;
        Some(Value::EcmaArray(self.properties(depth)))
    }

    /// Names and values up to the object end, or up to the fault.
    fn properties(&mut self, depth: usize) -> Properties {
        let mut properties = Vec::new();
        while let Some(property) = self.property(depth) {
            properties.push(property);
        }
        properties
    }

    fn property(&mut self, depth: usize) -> Option<(String, Value)> {
        let name = self.text()?;
        if name.is_empty() && self.rest.first() == Some(&marker::OBJECT_END) {
            self.byte("object end")?;
            return None;
        }
        self.value(depth + 1).map(|value| (name, value))
    }

    /// As many values as declared, or up to the fault. Nothing is reserved for the declared count.
    fn strict_array(&mut self, depth: usize) -> Option<Value> {
        let count = self.array("array count").map(u32::from_be_bytes)?;
        let mut values = Vec::new();
        for _ in 0..count {
            match self.value(depth + 1) {
                Some(value) => values.push(value),
                None => break,
            }
        }
        Some(Value::StrictArray(values))
    }
}
