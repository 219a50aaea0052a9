//! The rows of the page.

use alloc::collections::BTreeSet;

/// One row: what may go wrong, and how it must be shown that it does no harm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) what: String,
    pub(crate) by: BTreeSet<Way>,
    pub(crate) is_in_scope: bool,
}

/// How a test shows a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// In the simulated world, or in the part alone.
    Simulated,
    /// Over real sockets.
    Sockets,
}

impl Row {
    pub(crate) fn is(&self, id: &str) -> bool {
        self.id == id
    }
}

impl Way {
    pub(crate) fn letter(self) -> &'static str {
        match self {
            Self::Simulated => "S",
            Self::Sockets => "T",
        }
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Simulated => "without sockets",
            Self::Sockets => "over sockets",
        }
    }
}

/// Every row of every table whose first cell is an id.
///
/// # Errors
/// Words that name a row which cannot be read, or which is there twice.
pub(crate) fn rows(page: &str) -> Result<Vec<Row>, String> {
    let mut rows: Vec<Row> = Vec::new();
    for line in page.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")) {
        let cells: Vec<&str> = line.split(" | ").map(str::trim).collect();
        if !cells.first().is_some_and(|id| is_id(id)) {
            continue;
        }
        let row = row(&cells)?;
        if rows.iter().any(|other| other.is(&row.id)) {
            return Err(format!("{} is there twice", row.id));
        }
        rows.push(row);
    }
    if rows.is_empty() { Err("no rows".into()) } else { Ok(rows) }
}

fn row(cells: &[&str]) -> Result<Row, String> {
    let [id, what, must, by, state] = cells else {
        return Err(format!("{}: {} cells instead of 5", cells.join(" | "), cells.len()));
    };
    if what.is_empty() || must.is_empty() {
        return Err(format!("{id}: an empty cell"));
    }
    let ways = match *by {
        "S" => BTreeSet::from([Way::Simulated]),
        "T" => BTreeSet::from([Way::Sockets]),
        "S T" => BTreeSet::from([Way::Simulated, Way::Sockets]),
        other => return Err(format!("{id}: by `{other}`; it is S, T or S T")),
    };
    let is_in_scope = match *state {
        "with transfers" => false,
        state if state == "here" || state.starts_with("here; ") => true,
        other => return Err(format!("{id}: where `{other}`; it is here, here; …, or with transfers")),
    };
    Ok(Row { id: (*id).to_owned(), what: (*what).to_owned(), by: ways, is_in_scope })
}

fn is_id(text: &str) -> bool {
    let digits = text.strip_prefix(['F', 'B']);
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_and_other_lines_passed_over() {
        let page = "# A page\n\n| id | fault | what | by | where |\n| --- | --- | --- | --- | --- |\n\
                    | F01 | a | b | S T | here |\ntext\n| B02 | c | d | S | with transfers |\n";
        let rows = rows(page).unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].id.as_str(), rows[0].what.as_str(), rows[0].is_in_scope), ("F01", "a", true));
        assert_eq!(rows[0].by, BTreeSet::from([Way::Simulated, Way::Sockets]));
        assert_eq!((rows[1].by.len(), rows[1].is_in_scope), (1, false));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let cases = [
            ("| F01 | a | b | S | here |\n| F01 | a | b | S | here |", "F01 is there twice"),
            ("| F01 | a | S | here |", "F01 | a | S | here: 4 cells instead of 5"),
            ("| F01 | a | b | X | here |", "F01: by `X`; it is S, T or S T"),
            ("| F01 | a | b | T S | here |", "F01: by `T S`; it is S, T or S T"),
            ("| F01 | a | b | S | soon |", "F01: where `soon`; it is here, here; …, or with transfers"),
            ("| F01 |  | b | S | here |", "F01: an empty cell"),
            ("nothing", "no rows"),
        ];
        for (page, said) in cases {
            assert_eq!(rows(page), Err(said.to_owned()));
        }
    }
}
