//! Slack's own way to write texts, into plain words and Markdown, and back.
//! Owns the marks; not which texts there are.

/// A text as it arrived, in words and, where it has marks, in Markdown.
pub(crate) fn read(text: &str) -> (String, Option<String>) {
    let (mut plain, mut marked, mut has_marks) = (String::new(), String::new(), false);
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('<') {
        words(before, &mut plain, &mut marked, &mut has_marks);
        let Some((inside, after)) = behind.split_once('>') else {
            // Slack escapes what is none of its own.
            rest = behind;
            plain.push('<');
            marked.push('<');
            continue;
        };
        let (target, label) = inside.split_once('|').map_or((inside, None), |(target, label)| (target, Some(label)));
        let (shown, link) = match target.split_at_checked(1) {
            Some(("@", person)) => (format!("@{}", label.unwrap_or(person)), Some(format!("contact:{person}"))),
            Some(("#", channel)) => (format!("#{}", label.unwrap_or(channel)), None),
            Some(("!", name)) => (label.map_or_else(|| format!("@{name}"), str::to_owned), None),
            _ => (label.unwrap_or(target).to_owned(), Some(unescaped(target))),
        };
        let shown = unescaped(&shown);
        plain.push_str(&shown);
        match link {
            Some(link) => {
                has_marks = true;
                marked.push_str(&format!("[{shown}]({link})"));
            }
            None => marked.push_str(&shown),
        }
        rest = after;
    }
    words(rest, &mut plain, &mut marked, &mut has_marks);
    (plain, has_marks.then_some(marked))
}

/// Words between links: `*strong*`, `_emphasised_`, `~struck~` and `` `code` `` around whole words.
fn words(text: &str, plain: &mut String, marked: &mut String, has_marks: &mut bool) {
    let mut rest = text;
    while let Some(at) = rest.find(['*', '_', '~', '`']) {
        let (before, from) = rest.split_at(at);
        push(before, plain, marked);
        let mark = from.get(..1).unwrap_or_default();
        let inner = from.get(1..).unwrap_or_default();
        let opens = plain.chars().next_back().is_none_or(|before| !before.is_alphanumeric());
        let closes = inner.find(mark).filter(|end| {
            let content = inner.get(..*end).unwrap_or_default();
            let behind = inner.get(end + 1..).unwrap_or_default().chars().next();
            opens
                && !content.is_empty()
                && !content.starts_with(char::is_whitespace)
                && !content.ends_with(char::is_whitespace)
                && behind.is_none_or(|behind| !behind.is_alphanumeric())
        });
        match closes {
            Some(end) => {
                let (content, behind) =
                    (inner.get(..end).unwrap_or_default(), inner.get(end + 1..).unwrap_or_default());
                let markdown = match mark {
                    "*" => "**",
                    "_" => "*",
                    "~" => "~~",
                    _ => "`",
                };
                *has_marks = true;
                plain.push_str(&unescaped(content));
                marked.push_str(&format!("{markdown}{}{markdown}", unescaped(content)));
                rest = behind;
            }
            None => {
                push(mark, plain, marked);
                rest = inner;
            }
        }
    }
    push(rest, plain, marked);
}

fn push(text: &str, plain: &mut String, marked: &mut String) {
    let text = unescaped(text);
    plain.push_str(&text);
    marked.push_str(&text);
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// Words as Slack wants them.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
