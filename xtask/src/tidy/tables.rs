//! The columns of the operation tables, which rustfmt leaves alone.

use super::Finding;

/// Rows that stand together are either all unaligned or all aligned, at the type and at `=`.
pub(crate) fn columns(path: &str, text: &str, findings: &mut Vec<Finding>) {
    let mut block: Vec<Row> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.contains('\t') || line.ends_with(' ') {
            findings.push(Finding::new(path, number + 1, "a tab, or a space at the end"));
        }
        let trimmed = line.trim_start();
        if trimmed.starts_with("///") || trimmed.starts_with("#[") {
            continue;
        }
        match Row::read(line) {
            Some(row) => block.push(Row { number: number + 1, ..row }),
            None => check(path, &core::mem::take(&mut block), findings),
        }
    }
    check(path, &block, findings);
}

/// One row: `name: Type = place "wire name",`.
#[derive(Clone, Copy, Debug)]
struct Row {
    number: usize,
    /// The column of the type, from 1.
    of_type: usize,
    /// The column of `=`, from 1.
    equals: usize,
    /// Whether exactly one space stands before each.
    plain: bool,
}

impl Row {
    fn read(line: &str) -> Option<Self> {
        let (left, right) = line.split_once('=')?;
        let (name, kind) = left.split_once(':')?;
        let is_name = |name: &str| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        };
        if !is_name(name.trim()) || !left.ends_with(' ') || !right.starts_with(' ') || !right.ends_with(',') {
            return None;
        }
        let spaces = kind.len() - kind.trim_start().len();
        let plain = spaces == 1 && left.trim_end().len() + 1 == left.len();
        Some(Self {
            number: 0,
            of_type: name.len() + 1 + spaces + 1,
            equals: left.chars().count() + 1,
            plain,
        })
    }
}

fn check(path: &str, block: &[Row], findings: &mut Vec<Finding>) {
    if block.iter().all(|row| row.plain) {
        return;
    }
    for (what, column) in [("the type", (|row| row.of_type) as fn(&Row) -> usize), ("`=`", |row| row.equals)]
    {
        // Where most rows have it.
        let rows_at = |at: usize| block.iter().filter(|row| column(row) == at).count();
        let Some(wanted) = block.iter().map(column).max_by_key(|at| (rows_at(*at), *at)) else { return };
        if let Some(row) = block.iter().find(|row| column(row) != wanted) {
            let is = column(row);
            let what = format!("{what} in column {is}; the rows around it have it in {wanted}");
            findings.push(Finding::new(path, row.number, what));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(text: &str) -> Vec<String> {
        let mut findings = Vec::new();
        columns("ops.rs", text, &mut findings);
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn crooked_rows_are_found() {
        let plain = "    acl: Acl = header \"a\",\n    /// Text.\n    storage_class: Class = header \"b\",\n";
        assert_eq!(find(plain), Vec::<String>::new());
        let aligned = "    acl:   Acl   = header \"a\",\n    class: Class = header \"b\",\n";
        assert_eq!(find(aligned), Vec::<String>::new());
        let crooked = "    acl:   Acl  = header \"a\",\n    class: Class = header \"b\",\n";
        assert_eq!(find(crooked), ["ops.rs:1: `=` in column 17; the rows around it have it in 18"]);
        let crooked = "    acl:  Acl    = header \"a\",\n    class: Class = header \"b\",\n";
        assert_eq!(find(crooked), ["ops.rs:1: the type in column 11; the rows around it have it in 12"]);
        // Another block has columns of its own.
        assert_eq!(find("    a: A  = query \"a\",\n}\n    bb: Bb  = query \"b\",\n"), Vec::<String>::new());
    }

    #[test]
    fn tabs_and_spaces_at_the_end_are_found() {
        assert_eq!(find("\tx\ny \n").len(), 2);
    }

    #[test]
    fn code_is_not_a_row() {
        assert_eq!(find("    let a: u8  = 1;\n    if x == y {\n"), Vec::<String>::new());
    }
}
