//! Element trees: `A{b, c*:int, D/E*{f}}` as the paths of their leaves.

/// The paths of the leaves, without marks of type and number: `A/b`, `A/c`, `A/D/E/f`.
pub(super) fn paths(tree: &str) -> Vec<String> {
    let mut reader = Reader { rest: tree };
    let mut paths = Vec::new();
    reader.list("", &mut paths);
    paths
}

struct Reader<'x> {
    rest: &'x str,
}

impl Reader<'_> {
    /// Elements up to a closing brace or the end.
    fn list(&mut self, outer: &str, paths: &mut Vec<String>) {
        while !self.rest.is_empty() {
            self.rest = self.rest.trim_start_matches([' ', ',']);
            if let Some(rest) = self.rest.strip_prefix('}') {
                self.rest = rest;
                return;
            }
            self.element(outer, paths);
        }
    }

    fn element(&mut self, outer: &str, paths: &mut Vec<String>) {
        let end = self.rest.find(['{', '}', ',']).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        // `SSE-KMS*:int`: what follows the name is its number and its type.
        let name = name.split([':', '*']).next().unwrap_or_default().trim();
        let path = if outer.is_empty() { name.to_owned() } else { format!("{outer}/{name}") };
        self.rest = rest;
        match rest.strip_prefix('{') {
            Some(rest) => {
                self.rest = rest;
                self.list(&path, paths);
            }
            None => paths.push(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_has_the_paths_of_its_leaves() {
        for (tree, expected) in [
            ("Status", &["Status"][..]),
            ("A:int, B*, C*{D, E:bool}, F/G*{H{I}}", &["A", "B", "C/D", "C/E", "F/G/H/I"]),
            ("A{B{C, D*:map}}", &["A/B/C", "A/B/D"]),
            (".", &["."]),
            ("", &[]),
        ] {
            assert_eq!(paths(tree), expected, "{tree}");
        }
    }
}
