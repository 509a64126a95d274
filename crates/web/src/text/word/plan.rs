//! The words of the plan's pages and pictures, German beside English.
//!
//! In:    a language. Out: [`Words`]. Never: a word in one language only: it would not compile.
//! See:   `super`, for the words of everything else; docs/glossary.md.

use anlauf_model::Language;

/// The table of a language.
pub(crate) fn words(language: Language) -> &'static Words {
    match language {
        Language::De => &DE,
        Language::En => &EN,
    }
}

words! {
    // pages.
    pages: "Ansichten des Plans", "Views of the plan";
    nav_axis: "Zeitachse", "Time axis";
    nav_load: "Auslastung", "Load";
    nav_change: "Änderungen", "Changes";
    nav_course: "Verlauf", "Course";
    by_site: "Nach Standorten", "By site";
    shown_cells: "{} von {} Zellen im Bild", "{} of {} cells in the picture";
    filter_empty: "Keine Zelle passt zu dieser Auswahl.", "No cell fits this choice.";
    as_table: "Dasselbe als Tabelle", "The same as a table";
    begins: "Beginn", "Begins";
    last_planned: "Letzte geplante Öffnung", "Last planned opening";
    slots_kept: "Vereinbarte Fenster", "Agreed slots";
    // pictures.
    plan_title: "Plan auf der Zeitachse", "Plan on a time axis";
    plan_about:
        "Je Zeile ein Balken vom ersten Schritt bis zur letzten Öffnung, Striche für geplante \
         Öffnungen, Punkte für geschehene, darunter die Spanne der letzten Öffnung. Dieselben \
         Zeiten stehen in der Tabelle.",
        "Per row a bar from the first step to the last opening, strokes for planned openings, \
         dots for those that happened, below it the range of the last opening. The same times \
         are in the table.";
    load_title: "Auslastung der Teams über die Zeit", "Load of the teams over time";
    load_about:
        "Je Team eine Zeile, so hoch wie seine Bahnen; gefüllt ist, was der Plan davon braucht. \
         Dieselben Zahlen stehen in der Tabelle.",
        "Per team a row as high as its lanes; filled is what the plan needs of them. The same \
         numbers are in the table.";
    change_title: "Was sich zwischen zwei Plänen bewegt", "What moves between two plans";
    change_about:
        "Je Zelle ein Pfeil von der Öffnung im alten Plan zu der im neuen. Dieselben Zeiten \
         stehen in der Tabelle.",
        "Per cell an arrow from its opening in the old plan to that in the new. The same times \
         are in the table.";
    course_title: "Freigegebene Dienste über die Zeit", "Services released over time";
    course_about:
        "Die Treppe zeigt, wie viele Dienste freigegeben sind; der Fächer danach, wie viele es \
         nach der Vorhersage bis wann sind. Dieselben Zahlen stehen in der Tabelle.",
        "The stair shows how many services are released; the fan after it how many there will \
         be by when, as forecast. The same numbers are in the table.";
    legend_work: "Arbeit", "work";
    legend_planned: "geplante Öffnung", "planned opening";
    legend_opened: "wieder da", "back";
    legend_range:
        "letzte Öffnung: P50 bis P80 dick, bis P95 dünn",
        "last opening: P50 to P80 thick, to P95 thin";
    legend_chain: "kritische Kette", "critical chain";
    legend_slot: "vereinbartes Fenster", "agreed slot";
    legend_band: "Sperrzeit", "freeze or hold";
    legend_now: "jetzt", "now";
    legend_load_low: "unter 60 % der Bahnen", "below 60% of the lanes";
    legend_load_high: "60 bis 95 %", "60 to 95%";
    legend_load_full: "voll", "full";
    legend_before: "alter Plan", "old plan";
    legend_after: "neuer Plan", "new plan";
    legend_released: "freigegeben", "released";
    legend_expected: "erwartet (P50)", "expected (P50)";
    legend_fan_80: "P50 bis P80", "P50 to P80";
    legend_fan_95: "P80 bis P95", "P80 to P95";
    legend_wanted: "Plan", "plan";
    // load.
    load_note: "{} h, max. {}", "{} h, max. {}";
    load_hours: "Belegte Stunden", "Hours taken";
    load_peak: "Am vollsten", "Fullest";
    load_free: "Frei ab", "Free from";
    load_none: "Der Plan gibt diesen Zellen keine Arbeit.", "The plan has no work for these cells.";
    lanes_word: "Bahnen", "Lanes";
    // chain.
    chain: "Die kritische Kette", "The critical chain";
    chain_hint:
        "Was die letzte Öffnung hält, von ihr aus rückwärts: {}. Nur wer hier etwas verkürzt, \
         bringt das Ende nach vorn.",
        "What holds the last opening, backwards from it: {}. Only who shortens something here \
         brings the end forward.";
    chain_spent:
        "Darin stecken noch {} Arbeit und {} Warten auf ein Team.",
        "In it are still {} of work and {} of waiting for a team.";
    chain_none: "Nichts ist mehr zu öffnen.", "Nothing is left to open.";
    late: "Nach ihrem Stichtag", "After their day of the month";
    late_more: "{} und {} weitere", "{} and {} more";
    // change.
    change_pick: "Welcher Plan", "Which plan";
    change_show: "Zeigen", "Show";
    change_in_force: "in Kraft seit {}", "in force since {}";
    change_proposed: "vorgeschlagen {}", "proposed {}";
    change_against: "Gegen seinen Vorgänger {}.", "Against its parent {}.";
    change_because: "Anlass: {}", "Because: {}";
    change_none:
        "Dieser Plan hat keinen Vorgänger, gegen den er zu vergleichen wäre.",
        "This plan has no parent to be compared with.";
    change_same: "Keine Öffnung bewegt sich.", "No opening moves.";
    change_shown:
        "Die {} größten von {} Bewegungen.",
        "The {} largest of {} moves.";
    change_counts:
        "{} früher, {} später, {} unverändert, {} neu, {} nicht mehr darin.",
        "{} earlier, {} later, {} unchanged, {} added, {} gone.";
    change_old: "Alter Plan", "Old plan";
    change_new: "Neuer Plan", "New plan";
    change_by: "Um", "By";
    change_earlier: "{} früher", "{} earlier";
    change_later: "{} später", "{} later";
    change_added: "neu", "added";
    change_gone: "nicht mehr darin", "gone";
    change_why: "Weil", "Because";
    because_work: "{} dauert anders", "{} takes another time";
    because_needs: "{} sich bewegt", "{} moves";
    because_after: "{} vorher kommt und sich bewegt", "{} comes before it and moves";
    because_team: "Team {} anders an {} arbeitet", "team {} works on {} at another time";
    because_testers: "die Prüfer anders an {} arbeiten", "the testers work on {} at another time";
    because_agreed: "ein Fenster vereinbart ist", "a slot is agreed";
    because_hold: "{} anders gesperrt ist", "{} is held until another time";
    because_again: "wieder etwas zu tun ist", "something is to be done again";
    because_done: "nichts mehr zu tun ist", "nothing is left to do";
    because_order: "sich die Reihenfolge ändert", "the order changes";
    // course.
    course_day: "Bis", "By";
    course_released: "Freigegeben", "Released";
    course_no_forecast:
        "Noch keine Vorhersage: der Fächer fehlt, bis eine veröffentlicht ist.",
        "No forecast yet: there is no fan until one is published.";
    course_all_back:
        "Alles ist wieder da: vorherzusagen bleibt nichts.",
        "Everything is back: nothing is left to forecast.";
    hits_sentence:
        "Von {} Terminen, die mit 80 % genannt waren, hielten {}.",
        "Of {} dates given with 80%, {} held.";
    hits_none:
        "Noch ist kein genannter Termin fällig geworden; wie gut sie halten, steht hier, sobald \
         es welche gibt.",
        "No date that was given has come due yet; how well they hold is shown here as soon as \
         there are some.";
    whole_own: "Wann alles von Ihnen wieder da ist:", "When all of yours is back:";
    wait_verdict:
        "die Forensik hat in {} noch nichts beurteilt",
        "forensics has judged nothing at {} yet";
    wait_plan: "der geltende Plan enthält sie nicht", "the plan in force does not name it";
    wait_nobody: "Team {} hat niemanden für {}", "team {} has nobody for {}";
    wait_testers: "beim Mandanten hat niemand Zeit für {}", "the tenant has nobody for {}";
    wait_cell: "{} hat selbst noch keinen Termin", "{} has no date itself";
    // what would be if.
    nav_try: "Was wäre, wenn", "What if";
    try_title: "Was wäre, wenn", "What if";
    try_hint:
        "Zeigt, was sich bewegen würde. Nichts davon tritt in Kraft; für einen neuen Plan \
         ändern Sie die Lage und planen neu.",
        "Shows what would move. Nothing of it comes into force; for another plan, change the \
         situation and plan again.";
    try_not_you:
        "Ausprobieren kann, wer Pläne vorschlagen darf.",
        "Whoever may propose plans can try.";
    try_as_is: "wie es ist", "as it is";
    try_people: "Mehr oder weniger Leute", "More or fewer people";
    try_site: "Standort früher oder später frei", "Site free earlier or later";
    try_from: "Frei ab", "Free from";
    try_drop: "Auf ein Individualverfahren verzichten", "Give up a non-standard service";
    try_do: "Ausrechnen", "Work it out";
    try_unclear:
        "Bitte mindestens eine Änderung ganz angeben: ein Team mit Bahnen, einen Standort mit \
         Zeit, ein Verfahren, eine Reihenfolge oder ein Fenster mit Beginn und Ende.",
        "Please give at least one change in full: a team with lanes, a site with a time, a \
         service, an order, or a window with both ends.";
    try_answer: "So würde es", "How it would be";
    try_back: "Zurück", "Back";
    try_counts:
        "{} Öffnungen früher, {} später.",
        "{} openings earlier, {} later.";
    try_whole_before: "Wann alles wieder da ist, bisher:", "When everything is back, so far:";
    try_whole_after: "Dann:", "Then:";
    try_broken: "Diese vereinbarten Fenster hielten nicht:", "These agreed slots would not hold:";
    try_breaks_others:
        "Der Plan könnte das nicht neben dem halten, was vereinbart ist.",
        "The plan could not keep this beside what is agreed.";
    try_nothing: "Nichts würde sich bewegen.", "Nothing would move.";
    try_unchanged:
        "Das ist eine Rechnung; in Kraft ist weiter der bisherige Plan.",
        "This is a calculation; the plan in force stays as it is.";
    try_planned_before: "Im Plan bisher", "In the plan so far";
    try_planned_after: "Im Plan dann", "In the plan then";
    try_range_before: "Spanne bisher", "Range so far";
    try_range_after: "Spanne dann", "Range then";
    try_first: "Erst die Wirkung zeigen", "Show the effect first";
    try_slot_next:
        "Passt das Fenster, bitten Sie den Anbieter darum; er bietet es an, und Sie stimmen hier \
         zu.",
        "If the window suits you, ask the provider for it; it is offered, and you agree here.";
    ask_slot: "Ein Fenster ausprobieren", "Try a window";
    change_unmoved: "gleich", "same";
    told_order: "Eigene Reihenfolge von {}", "An order of its own for {}";
    told_slot: "{} im Fenster {}", "{} in the window {}";
    told_give_back: "Vereinbartes Fenster von {} zurückgeben", "Give back the agreed slot of {}";
    told_lanes: "Team {} mit {}", "Team {} with {}";
    told_free: "{} frei ab {}", "{} free from {}";
    told_drop: "{} nicht wieder in Betrieb nehmen", "Not bringing back {}";
    // what would move it earlier.
    earlier_title: "Was die Öffnung früher brächte", "What would bring the opening forward";
    earlier_do: "Ausrechnen, was sie früher brächte", "Work out what would bring it forward";
    earlier_hint:
        "Jede Möglichkeit wird am geltenden Plan durchgerechnet.",
        "Each possibility is worked out on the plan in force.";
    earlier_line: "{}: {} früher, Öffnung {}.", "{}: {} earlier, opening {}.";
    earlier_none:
        "Nichts davon hilft: kein zusätzliches Team, kein früher freier Standort und kein \
         zurückgegebenes Fenster brächte sie um mehr als eine halbe Stunde nach vorn.",
        "Nothing of that helps: no lane more, no site free earlier and no slot given back would \
         bring it forward by more than half an hour.";
    @
}
