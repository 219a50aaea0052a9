//! Ini files with bounds: sections of names and values.

use alloc::string::String;
use alloc::vec::Vec;

use crate::Secret;
use crate::json::Problem;

/// A file in sections. Names of keys are in lower case.
///
/// A line is empty, a comment (`#` or `;` at its beginning), `[section]`, or `name = value`; what follows a
/// blank and `#` is a comment, too. A section or a name that occurs twice is refused: two readers could take
/// different ones.
pub(crate) struct Ini(Vec<Section>);

pub(crate) struct Section {
    name: String,
    keys: Vec<(String, Secret)>,
}

impl Ini {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = core::str::from_utf8(bytes)
            .map_err(|error| Problem { what: "text that is not UTF-8", at: error.valid_up_to() })?;
        let (mut sections, mut at) = (Vec::<Section>::new(), 0);
        for line in text.split('\n') {
            read_line(line, &mut sections).map_err(|what| Problem { what, at })?;
            at += line.len() + 1;
        }
        Ok(Self(sections))
    }

    pub(crate) fn section(&self, name: &str) -> Option<&Section> {
        self.0.iter().find(|section| section.name == name)
    }
}

impl Section {
    /// A value that is not empty.
    pub(crate) fn value(&self, name: &str) -> Option<&Secret> {
        let (_, value) = self.keys.iter().find(|(other, _)| other == name)?;
        Some(value).filter(|value| !value.is_empty())
    }
}

fn read_line(line: &str, sections: &mut Vec<Section>) -> Result<(), &'static str> {
    let line = line.trim_ascii();
    if line.is_empty() || line.starts_with(['#', ';']) {
        return Ok(());
    }
    if line.chars().any(|letter| letter.is_control() && letter != '\t') {
        return Err("a control character");
    }
    if let Some(rest) = line.strip_prefix('[') {
        let name = without_comment(rest).strip_suffix(']').ok_or("a section without its `]`")?.trim_ascii();
        if sections.iter().any(|section| section.name == name) {
            return Err("a section that occurs twice");
        }
        // Bounds the search for names that occur twice, too.
        if sections.len() == SECTIONS_MAX {
            return Err("more than 1,024 sections");
        }
        sections.push(Section { name: String::from(name), keys: Vec::new() });
        return Ok(());
    }
    let (name, value) = line.split_once('=').ok_or("a line without `=`")?;
    let keys = &mut sections.last_mut().ok_or("a value before the first section")?.keys;
    let name = name.trim_ascii().to_ascii_lowercase();
    if name.is_empty() {
        return Err("a value without a name");
    }
    if keys.iter().any(|(other, _)| *other == name) {
        return Err("a name that occurs twice");
    }
    if keys.len() == KEYS_MAX {
        return Err("a section of more than 64 values");
    }
    keys.push((name, Secret::from(without_comment(value))));
    Ok(())
}

fn without_comment(text: &str) -> &str {
    let is_comment = |at: &usize| text.get(..*at).is_some_and(|before| before.ends_with([' ', '\t']));
    let end = text.match_indices('#').map(|(at, _)| at).find(is_comment).unwrap_or(text.len());
    text.get(..end).unwrap_or_default().trim_ascii()
}

const SECTIONS_MAX: usize = 1_024;
const KEYS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn sections_have_values() {
        let text = "\u{feff}# first\r\n; second\r\n\r\n[default] # x\r\n Type=access_key\r\n\
                    access_key_id = a#b = c  # note\r\naccess_key_secret =\r\n[ other ]\r\nk=v";
        let ini = Ini::parse(text.as_bytes()).ok().unwrap();
        let default = ini.section("default").unwrap();
        assert_eq!(default.value("type").unwrap().expose(), "access_key");
        assert_eq!(default.value("access_key_id").unwrap().expose(), "a#b = c");
        assert!(default.value("access_key_secret").is_none() && default.value("k").is_none());
        assert_eq!(ini.section("other").unwrap().value("k").unwrap().expose(), "v");
        assert!(ini.section("missing").is_none());
        assert!(Ini::parse(b"").is_ok());
    }

    #[test]
    fn b63_what_is_bad_is_refused_by_name_and_place() {
        let sections: Vec<_> = (0..1_025).map(|number| format!("[{number}]")).collect();
        let keys: Vec<_> = (0..65).map(|number| format!("{number}=v")).collect();
        let (sections, keys) = (sections.join("\n"), format!("[s]\n{}", keys.join("\n")));
        let table: [(&[u8], _, _); 11] = [
            (b"[a]\n[b]\n[a]", "a section that occurs twice", 8),
            (b"[a]\nk=1\nK=2", "a name that occurs twice", 8),
            (b"[a", "a section without its `]`", 0),
            (b"k=v", "a value before the first section", 0),
            (b"[a]\nk", "a line without `=`", 4),
            (b"[a]\n=v", "a value without a name", 4),
            (b"[a]\nk=v\0", "a control character", 4),
            (b"[a]\nk=a\rb", "a control character", 4),
            (b"[a]\nk=\xff", "text that is not UTF-8", 6),
            (sections.as_bytes(), "more than 1,024 sections", sections.len() - 6),
            (keys.as_bytes(), "a section of more than 64 values", keys.len() - 4),
        ];
        for (bytes, what, at) in table {
            assert_eq!(Ini::parse(bytes).err(), Some(Problem { what, at }));
        }
    }
}
