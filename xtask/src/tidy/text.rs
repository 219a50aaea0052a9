//! Rules over any text file: what speaks of one machine has no place in the project.

use super::Finding;

/// Paths of a person's machine, in code, pages and scripts alike.
pub(crate) fn machine_paths(path: &str, text: &str, findings: &mut Vec<Finding>) {
    for (number, line) in text.lines().enumerate() {
        for word in MACHINE_PATHS {
            if stands_alone(line, word) {
                let what = format!("`{word}` is a path of one machine");
                findings.push(Finding::new(path, number + 1, what));
            }
        }
    }
}

/// Whether `word` stands in the line as the start of a path, not as a part of a longer one.
fn stands_alone(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        !before.is_some_and(|before| before.is_alphanumeric() || "_-.}~$)".contains(before))
    })
}

// Taken apart, so that this file passes its own rule.
const MACHINE_PATHS: &[&str] =
    &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/tm", "p/")];

#[cfg(test)]
mod tests {
    use super::*;

    fn find(text: &str) -> Vec<String> {
        let mut findings = Vec::new();
        machine_paths("a.md", text, &mut findings);
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn machine_paths_are_found() {
        for word in MACHINE_PATHS {
            assert_eq!(
                find(&format!("see\nsee {word}x")),
                [format!("a.md:2: `{word}` is a path of one machine")]
            );
            assert_eq!(find(&format!("\"{word}x\"")).len(), 1);
            // A part of a key or of a URL is none.
            assert_eq!(find(&format!("photos{word}x")), Vec::<String>::new());
        }
    }
}
