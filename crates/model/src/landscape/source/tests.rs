//! What a reader is told about files that cannot be read.

use std::collections::BTreeMap;

use super::*;
use crate::landscape::tests::{declared, files};
use crate::limits::SOURCE_ERROR_COUNT_MAX;

/// The example with one place changed, and what is said of it.
fn changed(file: &str, from: &str, to: &str) -> String {
    let mut files = files();
    let text = String::from_utf8(files[file].clone()).unwrap();
    assert!(text.contains(from), "the example has `{from}`");
    files.insert(file.to_owned(), text.replacen(from, to, 1).into_bytes());
    told(&files)
}

/// The example with a whole file in place of another one, or without it.
fn with(file: &str, bytes: Option<&[u8]>) -> String {
    let mut files = files();
    match bytes {
        Some(bytes) => files.insert(file.to_owned(), bytes.to_vec()),
        None => files.remove(file),
    };
    told(&files)
}

fn told(files: &BTreeMap<String, Vec<u8>>) -> String {
    match read(files) {
        Ok(_) => "read".to_owned(),
        Err(errors) => errors.iter().map(|e| e.render(false) + "\n").collect(),
    }
}

fn count(file: &str, bytes: &[u8]) -> usize {
    let mut files = files();
    files.insert(file.to_owned(), bytes.to_vec());
    read(&files).map_or_else(|errors| errors.len(), |_| 0)
}

fn example(file: &str) -> String {
    String::from_utf8(files()[file].clone()).unwrap()
}

/// What was said, case by case.
#[derive(Default)]
struct Said(String);

impl Said {
    fn add(&mut self, case: &str, text: &dyn std::fmt::Display) {
        self.0 += &format!("== {case}\n{text}\n");
    }
}

#[test]
fn a_name_that_is_not_listed_comes_with_the_nearest_one() {
    let mut said = Said::default();
    let service = changed(
        FILE_LANDSCAPE,
        r#"["identity", "mail"]"#,
        r#"["identity", "mial"]"#,
    );
    said.add("service", &service);
    let tenant = changed(FILE_OFFERS, "town-alder,portal", "town-adler,portal");
    said.add("tenant", &tenant);
    let site = changed(FILE_TENANTS, "site-west", "site-wset");
    said.add("site", &site);
    let far = changed(
        FILE_LANDSCAPE,
        r#"team = "crisis""#,
        r#"team = "astronauts""#,
    );
    said.add("far", &far);
    let body = changed(FILE_PEOPLE, "forensics-firm", "forensik-firm");
    said.add("body", &body);
    insta::assert_snapshot!(said.0);
}

#[test]
fn a_name_that_stands_twice_points_at_both() {
    let mut said = Said::default();
    let service = changed(FILE_LANDSCAPE, r#"id = "portal""#, r#"id = "mail""#);
    said.add("service", &service);
    let tenant = changed(FILE_TENANTS, "town-birch,Stadt", "town-alder,Stadt");
    said.add("tenant", &tenant);
    let offer = changed(FILE_OFFERS, "town-birch,portal,1", "town-birch,mail,1");
    said.add("offer", &offer);
    insta::assert_snapshot!(said.0);
}

#[test]
fn broken_toml_is_shown_at_its_place() {
    let mut said = Said::default();
    let quote = changed(FILE_LANDSCAPE, "id = \"mail\"", "id = \"mail");
    said.add("quote", &quote);
    let key = changed(FILE_LANDSCAPE, "mta_hours = 72", "mta_huors = 72");
    said.add("key", &key);
    let kind = changed(FILE_LANDSCAPE, "mta_hours = 72", "mta_hours = \"72\"");
    said.add("kind", &kind);
    let word = changed(FILE_LANDSCAPE, r#"scope = "shared""#, r#"scope = "sharde""#);
    said.add("word", &word);
    let missing = changed(FILE_LANDSCAPE, "time_zone = \"Europe/Berlin\"\n", "");
    said.add("missing", &missing);
    let list = changed(FILE_POLICY, "[[rules]]", "[rules]");
    said.add("list", &list);
    let id = changed(
        FILE_LANDSCAPE,
        r#"id = "site-east""#,
        r#"id = "Standort Süd""#,
    );
    said.add("id", &id);
    let negative = changed(FILE_LANDSCAPE, "lanes = 1", "lanes = -1");
    said.add("negative", &negative);
    let large = changed(FILE_LANDSCAPE, "lanes = 1", "lanes = 99999999999");
    said.add("large", &large);
    insta::assert_snapshot!(said.0);
}

#[test]
fn wrong_columns_are_named() {
    let mut said = Said::default();
    let misspelt = changed(FILE_TENANTS, "id,name,size,insured", "id,name,size,inusred");
    said.add("misspelt", &misspelt);
    let semicolons = with(FILE_OFFERS, Some(b"tenant;service\ntown-alder;mail\n"));
    said.add("semicolons", &semicolons);
    let twice = changed(
        FILE_OFFERS,
        "tenant,service,count",
        "tenant,service,service",
    );
    said.add("twice", &twice);
    let short = changed(
        FILE_TENANTS,
        "town-cedar,Stadt Zeder,S,",
        "town-cedar,Stadt Zeder,",
    );
    said.add("short", &short);
    let number = changed(FILE_TENANTS, "120000", "120.000");
    said.add("number", &number);
    let role = changed(FILE_PEOPLE, "provider,auditor", "provider,auditer");
    said.add("role", &role);
    let empty = with(FILE_TENANTS, Some(b""));
    said.add("empty", &empty);
    insta::assert_snapshot!(said.0);
}

#[test]
fn another_encoding_is_recognised() {
    let mut said = Said::default();
    let text = example(FILE_TENANTS);
    let wide = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<_>>();
    let little = [vec![0xff, 0xfe], wide(u16::to_le_bytes)].concat();
    said.add("utf-16", &with(FILE_TENANTS, Some(&little)));
    let unmarked = wide(u16::to_be_bytes);
    said.add("utf-16 without mark", &with(FILE_TENANTS, Some(&unmarked)));
    let marked = [&[0xef, 0xbb, 0xbf], text.as_bytes()].concat();
    said.add("byte order mark", &with(FILE_TENANTS, Some(&marked)));
    let latin: Vec<u8> = text
        .replace("Birke", "Büche")
        .chars()
        .map(|c| u8::try_from(c).unwrap())
        .collect();
    said.add("latin-1", &with(FILE_TENANTS, Some(&latin)));
    insta::assert_snapshot!(said.0);
}

#[test]
fn a_folder_has_its_files_and_no_others() {
    let mut said = Said::default();
    said.add("missing", &with(FILE_POLICY, None));
    said.add("misspelt", &with("offer.csv", Some(b"")));
    assert_eq!(with("story.toml", Some(b"anything")), "read");
    assert_eq!(with(".git", Some(b"anything")), "read");
    assert_eq!(with(FILE_PEOPLE, None), "read");
    let mut many = files();
    many.extend((0..100).map(|number| (format!("{number}.txt"), Vec::new())));
    said.add("many", &told(&many));
    insta::assert_snapshot!(said.0);
}

#[test]
fn a_file_that_is_too_large_is_not_looked_at() {
    let mut said = Said::default();
    let size = usize::try_from(LANDSCAPE_FILE_SIZE_MAX).unwrap();
    assert!(check_size(FILE_OFFERS, LANDSCAPE_FILE_SIZE_MAX).is_ok());
    let two_gigabytes = check_size(FILE_OFFERS, 2 << 30).unwrap_err();
    said.add("two gigabytes", &two_gigabytes);
    let large = vec![b'\n'; size + 1];
    said.add("large", &with(FILE_LANDSCAPE, Some(&large)));
    insta::assert_snapshot!(said.0);
}

#[test]
fn errors_of_several_files_come_together_and_end_somewhere() {
    let mut files = files();
    files.insert(FILE_POLICY.to_owned(), b"rules = 1".to_vec());
    files.insert(
        FILE_OFFERS.to_owned(),
        b"tenant,service\nnobody,nothing\n".to_vec(),
    );
    let codes: Vec<_> = read(&files)
        .unwrap_err()
        .iter()
        .map(|e| (e.file.clone(), e.code))
        .collect();
    let want = [
        (FILE_POLICY, "AN-LAN-008"),
        (FILE_OFFERS, "AN-LAN-010"),
        (FILE_OFFERS, "AN-LAN-010"),
    ];
    assert_eq!(codes, want.map(|(file, code)| (file.to_owned(), code)));

    let lines: String = (0..1_000)
        .map(|number| format!("nobody-{number},mail,1\n"))
        .collect();
    let text = format!("tenant,service,count\n{lines}");
    assert_eq!(
        count(FILE_OFFERS, text.as_bytes()),
        SOURCE_ERROR_COUNT_MAX + 1
    );
    let last = with(FILE_OFFERS, Some(text.as_bytes()));
    assert!(last.contains("950 more errors are not shown"));
}

#[test]
fn a_long_line_is_cut_round_the_caret() {
    let name = "x".repeat(5_000);
    let told = changed(FILE_TENANTS, "Stadt Erle,L", &format!("{name},L"));
    assert_eq!(told, "read");
    let told = changed(
        FILE_TENANTS,
        "Stadt Erle,L,120000",
        &format!("{name},L,many"),
    );
    assert!(
        told.lines().all(|line| line.chars().count() < 250),
        "{told}"
    );
    assert!(told.contains("many"), "{told}");
}

#[test]
fn escapes_do_not_reach_the_terminal() {
    let told = changed(
        FILE_OFFERS,
        "town-alder,mail",
        "\u{1b}[31mtown\u{202e},mail",
    );
    assert!(told.starts_with("error[AN-LAN-"), "{told}");
    assert!(
        !told.contains('\u{1b}') && !told.contains('\u{202e}'),
        "{told:?}"
    );
}

#[test]
fn windows_line_ends_and_quotes_are_read() {
    let mut windows = files();
    for bytes in windows.values_mut() {
        *bytes = String::from_utf8(bytes.clone())
            .unwrap()
            .replace('\n', "\r\n")
            .into_bytes();
    }
    assert_eq!(read(&windows).unwrap(), declared());
    let quoted = changed(FILE_TENANTS, "Stadt Erle", "\"Stadt Erle, Land\"");
    assert_eq!(quoted, "read");
}

#[test]
fn the_order_of_lines_and_tables_changes_no_cell() {
    use crate::landscape::Landscape;
    let plain = Landscape::new(declared()).unwrap();
    for seed in 1..40 {
        let mut shuffled = declared();
        shuffle(&mut shuffled.tenants, seed);
        shuffle(&mut shuffled.offers, seed);
        shuffle(&mut shuffled.people, seed);
        shuffle(&mut shuffled.services, seed);
        shuffle(&mut shuffled.work, seed);
        shuffle(&mut shuffled.teams, seed);
        shuffle(&mut shuffled.sites, seed);
        let landscape = Landscape::new(shuffled).unwrap();
        assert_eq!(landscape.cells(), plain.cells(), "seed {seed}");
        assert_eq!(landscape.gate_table().digest(), plain.gate_table().digest());
    }
}

/// Fisher and Yates, from a seed.
fn shuffle<T>(list: &mut [T], seed: u64) {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    for last in (1..list.len()).rev() {
        // xorshift64
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        list.swap(last, usize::try_from(state % (last as u64 + 1)).unwrap());
    }
}

#[test]
fn editors_are_told_the_shape() {
    let mut said = Said::default();
    let schema = schema();
    let files: Vec<_> = schema.as_object().unwrap().keys().collect();
    assert_eq!(
        files,
        [
            "landscape.toml",
            "offers.csv",
            "people.csv",
            "policy.toml",
            "tenants.csv"
        ]
    );
    let keys = |file: &str| -> String {
        let shape = &schema[file];
        let required = shape["required"].as_array().unwrap();
        let all = shape["properties"].as_object().unwrap();
        let one = |key: &String| {
            let star = if required.iter().any(|name| name == key) {
                "*"
            } else {
                ""
            };
            format!("{key}{star}")
        };
        all.keys().map(one).collect::<Vec<_>>().join(" ")
    };
    said.add("landscape.toml", &keys(FILE_LANDSCAPE));
    said.add("tenants.csv", &keys(FILE_TENANTS));
    said.add("offers.csv", &keys(FILE_OFFERS));
    let whole = serde_json::to_string_pretty(&schema[FILE_OFFERS]).unwrap();
    said.add("whole", &whole);
    insta::assert_snapshot!(said.0);
}
