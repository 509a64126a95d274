//! What a situation file may say, and what it hears when it says something else.

use anlauf_model::landscape::{example, source};
use anlauf_model::{Landscape, Timestamp};

use super::SituationFile;

const NOW: &str = "2026-01-05T06:00:00Z";

fn landscape() -> Landscape {
    let files = example::example().into_iter();
    let files = files.map(|(name, text)| (name.to_owned(), text.into_bytes()));
    let declared = source::read(&files.collect()).expect("the example reads");
    Landscape::new(declared).expect("the example is sound")
}

fn read(text: &str) -> SituationFile {
    toml::from_str(text).unwrap_or_else(|error| panic!("{error}"))
}

/// What it hears, on the example.
fn said(text: &str) -> String {
    let now: Timestamp = NOW.parse().expect("a time");
    let landscape = landscape();
    match read(text).on(&landscape, Some(now), now) {
        Ok(situation) => format!("{situation:?}"),
        Err(failure) => failure.message,
    }
}

#[test]
fn an_empty_file_is_a_recovery_that_has_not_begun() {
    let landscape = landscape();
    let clock: Timestamp = NOW.parse().expect("a time");
    let situation = read("")
        .on(&landscape, None, clock)
        .expect("nothing is wrong");
    assert_eq!((situation.now, situation.began), (clock, clock));
    assert!(situation.progress.is_empty() && situation.slots.is_empty());
}

#[test]
fn the_command_line_goes_before_the_file_and_the_file_before_the_clock() {
    let landscape = landscape();
    let [line, file, clock] = [1, 2, 3].map(|hour| Timestamp(hour * 3_600_000));
    let text = format!("now = \"{file}\"");
    let on = |at| read(&text).on(&landscape, at, clock).expect("sound").now;
    assert_eq!(on(Some(line)), line);
    assert_eq!(on(None), file);
    assert_eq!(
        read("").on(&landscape, None, clock).expect("sound").now,
        clock
    );
}

#[test]
fn names_that_are_not_there_are_all_named_with_the_nearest() {
    let text = said(
        "[holds]\nsite-est = \"2026-01-06T08:00:00Z\"\n[lanes]\nsytems = 2\n\
         [slots]\n\"town-alder/portl\" = { from = \"2026-01-06T08:00:00Z\", to = \
         \"2026-01-06T09:00:00Z\" }\n[progress.\"nobody/nothing\"]\ndone = true\n",
    );
    for piece in [
        "no site is called `site-est`; did you mean `site-east`?",
        "no team is called `sytems`; did you mean `systems`?",
        "no cell is called `town-alder/portl`; did you mean `town-alder/portal`?",
        "no cell is called `nobody/nothing`",
    ] {
        assert!(text.contains(piece), "{piece}\n{text}");
    }
}

#[test]
fn times_that_cannot_be_are_named() {
    let text = said(
        "began = \"2026-01-07T00:00:00Z\"\n[lanes]\nsystems = 100000\n\
         [slots]\n\
         \"town-alder/portal\" = { from = \"2026-01-08T08:00:00Z\", to = \
         \"2026-01-07T09:00:00Z\" }\n\
         \"town-alder/mail\" = { from = \"2026-01-01T08:00:00Z\", to = \
         \"2026-01-02T09:00:00Z\" }\n\
         [progress.\"town-alder/mail\".tasks.evidence]\n\
         started = \"2026-01-06T00:00:00Z\"\nfinished = \"2026-01-05T00:00:00Z\"\n\
         [wishes]\ntown-alder = [\"town-birch/mail\"]\n",
    );
    for piece in [
        "`began` is 2026-01-07T00:00:00Z, after `now`",
        "team `systems` has 100000",
        "`town-alder/portal` ends at 2026-01-07T09:00:00Z, before it begins",
        "`town-alder/mail` was over at",
        "step `evidence` of `town-alder/mail` ends at 2026-01-05T00:00:00Z, before it began",
        "`town-birch/mail` is not a cell of tenant `town-alder`",
    ] {
        assert!(text.contains(piece), "{piece}\n{text}");
    }
}

#[test]
fn a_word_that_nobody_knows_is_refused() {
    for text in [
        "nwo = 1",
        "[progress.\"a/b\"]\nstage = \"ajar\"",
        "[lanes]\nsystems = -1",
    ] {
        assert!(toml::from_str::<SituationFile>(text).is_err(), "{text}");
    }
}
