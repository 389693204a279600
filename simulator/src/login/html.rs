//! The dialogs' pages: plain forms without scripts, usable with curl and browsers.
//! What belongs here: HTML and escaping. The choices are `dialog`.

/// A checkbox or radio button.
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) checked: bool,
    pub(crate) disabled: bool,
}

impl Choice {
    pub(crate) fn checked(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into(), checked: true, disabled: false }
    }
}

/// Choices under one field name, each with the id `{name}-{value}`.
pub(crate) struct Group {
    pub(crate) title: &'static str,
    pub(crate) name: &'static str,
    /// `checkbox` or `radio`.
    pub(crate) kind: &'static str,
    pub(crate) choices: Vec<Choice>,
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:3rem auto;padding:0 1rem}\
                     fieldset{border:1px solid #ccc;border-radius:8px;margin:1rem 0}label{display:block;padding:.2rem}\
                     button{font:inherit;padding:.6rem 1.4rem;margin-right:.6rem;border-radius:8px;border:1px solid #888}\
                     #continue{background:#0866ff;border-color:#0866ff;color:#fff}small{color:#666}";

/// The form of a dialog, which posts to its own URL.
pub(crate) fn form(title: &str, intro: &str, groups: &[Group]) -> String {
    let mut body =
        format!("<h1>{}</h1>\n<p>{}</p>\n<form id=\"dialog\" method=\"post\">\n", escape(title), escape(intro));
    for group in groups {
        body.push_str(&format!("<fieldset id=\"{}s\"><legend>{}</legend>\n", group.name, escape(group.title)));
        for choice in &group.choices {
            let value = escape(&choice.value);
            body.push_str(&format!(
                "<label for=\"{name}-{value}\"><input type=\"{kind}\" id=\"{name}-{value}\" name=\"{name}\" \
                 value=\"{value}\"{checked}{disabled}> {label}</label>\n",
                name = group.name,
                kind = group.kind,
                checked = if choice.checked { " checked" } else { "" },
                disabled = if choice.disabled { " disabled" } else { "" },
                label = escape(&choice.label),
            ));
        }
        body.push_str("</fieldset>\n");
    }
    body.push_str(
        "<button type=\"submit\" id=\"continue\" name=\"action\" value=\"continue\">Continue</button>\n\
         <button type=\"submit\" id=\"cancel\" name=\"action\" value=\"cancel\">Cancel</button>\n</form>\n\
         <p><small>Played by the simulator. Nobody at Meta sees this.</small></p>\n",
    );
    page(title, &body)
}

pub(crate) fn error(sentence: &str) -> String {
    page("Error", &format!("<h1>Sorry, something went wrong.</h1>\n<p id=\"error\">{}</p>\n", escape(sentence)))
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head>\n<body>\n{body}</body></html>\n",
        escape(title)
    )
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for symbol in text.chars() {
        match symbol {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_cannot_become_markup() {
        let page = error("<script>\"'&");
        assert!(page.contains("&lt;script&gt;&quot;&#39;&amp;") && !page.contains("<script>"), "{page}");
    }
}
