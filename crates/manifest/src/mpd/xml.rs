//! XML text, one element a line (XML 1.0 §2.2, §2.4).

use std::fmt::{self, Display, Write};

/// A document that is being written.
pub(super) struct Document {
    text: String,
    open: Vec<&'static str>,
    /// The start tag of the last element in `open` still lacks its `>`.
    in_tag: bool,
}

impl Document {
    pub(super) fn new() -> Self {
        let text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
        Self { text, open: Vec::new(), in_tag: false }
    }

    /// Opens an element in the one that is open; attributes may follow.
    pub(super) fn open(&mut self, name: &'static str) -> &mut Self {
        if self.in_tag {
            self.text.push('>');
        }
        self.new_line();
        self.text.push('<');
        self.text.push_str(name);
        self.open.push(name);
        self.in_tag = true;
        self
    }

    /// An attribute of the element that was opened last and has no content yet.
    pub(super) fn attr(&mut self, name: &str, value: impl Display) -> &mut Self {
        // Writing to a String cannot fail.
        let _ = write!(self.text, " {name}=\"");
        let _ = write!(Escaped(&mut self.text), "{value}");
        self.text.push('"');
        self
    }

    /// The attribute if it has a value.
    pub(super) fn maybe(&mut self, name: &str, value: Option<impl Display>) -> &mut Self {
        match value {
            Some(value) => self.attr(name, value),
            None => self,
        }
    }

    /// Closes the element that was opened last.
    pub(super) fn close(&mut self) {
        let Some(name) = self.open.pop() else { return };
        if self.in_tag {
            self.text.push_str("/>");
        } else {
            self.new_line();
            let _ = write!(self.text, "</{name}>");
        }
        self.in_tag = false;
    }

    /// The text, with everything closed.
    pub(super) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.text.push('\n');
        self.text
    }

    fn new_line(&mut self) {
        self.text.push('\n');
        self.text.extend(self.open.iter().map(|_| ' '));
    }
}

/// Text of an attribute. What XML cannot hold becomes U+FFFD.
struct Escaped<'a>(&'a mut String);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\t' | '\n' | '\r' => write!(self.0, "&#{};", u32::from(c))?,
                '\0'..' ' | '\u{fffe}' | '\u{ffff}' => self.0.push(char::REPLACEMENT_CHARACTER),
                c => self.0.push(c),
            }
        }
        Ok(())
    }
}
