//! JSON values as the cloud's XML: every key an element, a list as its element repeated.

use serde_json::Value;

const PROLOG: &str = "<?xml version='1.0' encoding='UTF-8'?>";

/// `value` as a document with that root. Keys and root are ours, so they are names already.
pub(super) fn render(root: &str, value: &Value) -> String {
    let mut out = PROLOG.to_owned();
    element(root, value, &mut out);
    out
}

fn element(name: &str, value: &Value, out: &mut String) {
    if let Value::Array(items) = value {
        items.iter().for_each(|item| element(name, item, out));
        return;
    }
    tag("<", name, out);
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| element(name, value, out)),
        Value::String(text) => escape(text, out),
        Value::Null => {}
        other => out.push_str(&other.to_string()),
    }
    tag("</", name, out);
}

fn tag(open: &str, name: &str, out: &mut String) {
    out.push_str(open);
    out.push_str(name);
    out.push('>');
}

/// Markup becomes references; what XML 1.0 §2.2 has no character for becomes U+FFFD.
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // Written as such, a reader would turn it into a line feed.
            '\r' => out.push_str("&#13;"),
            '\t' | '\n' => out.push(c),
            '\0'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}' => out.push('\u{FFFD}'),
            _ => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_is_its_element_repeated_within_the_wrapper() {
        let value = json!({ "List": { "Item": [{ "A": 1, "B": true }, { "A": 2, "B": null }] } });
        let expected = "<R><List><Item><A>1</A><B>true</B></Item><Item><A>2</A><B></B></Item></List></R>";
        assert_eq!(render("R", &value), format!("{PROLOG}{expected}"));
    }

    #[test]
    fn an_empty_list_leaves_its_wrapper() {
        assert_eq!(render("R", &json!({ "List": { "Item": [] } })), format!("{PROLOG}<R><List></List></R>"));
    }

    #[test]
    fn text_cannot_become_markup() {
        let text = "<a href=\"x\">&'\u{0}\u{1b}\r]]>";
        let expected = "&lt;a href=&quot;x&quot;&gt;&amp;&apos;\u{FFFD}\u{FFFD}&#13;]]&gt;";
        assert_eq!(render("R", &json!(text)), format!("{PROLOG}<R>{expected}</R>"));
    }
}
