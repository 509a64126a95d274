//! The words of every page, German beside English: one list, from which both tables are made.
//!
//! In:    nothing. Out: [`DE`] and [`EN`].
//! Never: a word in one language only: it would not compile.
//! See:   docs/glossary.md, which fixes the words of the field.

/// Makes the shape and one table per language.
macro_rules! words {
    ($($name:ident: $de:literal, $en:literal;)*
     @ $(list $list:ident: $kind:ty = $des:expr, $ens:expr;)*) => {
        /// The words of one language.
        pub(crate) struct Words {
            $(pub(crate) $name: &'static str,)*
            $(pub(crate) $list: $kind,)*
        }

        /// German.
        pub(crate) static DE: Words = Words { $($name: $de,)* $($list: $des,)* };

        /// English.
        pub(crate) static EN: Words = Words { $($name: $en,)* $($list: $ens,)* };
    };
}

pub(crate) mod plan;

words! {
    // frame.
    skip: "Zum Inhalt", "Skip to content";
    menu: "Bereiche", "Sections";
    language: "Sprache", "Language";
    enter: "Anmelden", "Log in";
    leave: "Abmelden", "Log out";
    drill: "Übung.", "Drill.";
    drill_more:
        "Alles hier ist eine Probe mit echten Abläufen und eigenen Schlüsseln. Domäne",
        "Everything here is a rehearsal of the real machinery with keys of its own. Domain";
    glass_open: "NOTÖFFNUNG ohne Freigabe bis {}.", "BREAK-GLASS without a release until {}.";
    glass_over:
        "Notöffnung endete {}, die Rechenschaft fehlt.",
        "Break-glass ended {}, its account is missing.";
    glass_public:
        "Einzelne Dienste laufen im Notfall ohne die übliche Prüfung.",
        "Some services run in an emergency without the usual checks.";
    glass_review: "Rechenschaft ablegen", "Give account";
    as_of: "Stand", "As of";
    next_word: "nächste Mitteilung", "next word";
    overdue: "überfällig", "overdue";
    not_said_yet: "noch nicht angesagt", "not announced yet";
    waiting: "warten auf Sie", "wait for you";
    lost: "Verbindung verloren. Diese Seite zeigt den", "Connection lost. This page shows things";
    lost_as_of: "Stand von", "as of";
    done: "Erledigt. Eintrag {} im Register.", "Done. Entry {} in the ledger.";
    foot_ledger: "Register bis Eintrag {}", "Ledger up to entry {}";
    atom: "Mitteilungen als Atom-Feed", "Notices as an Atom feed";
    atom_title: "Mitteilungen", "Notices";
    nav_situation: "Lage", "Situation";
    nav_grid: "Raster", "Grid";
    nav_plan: "Plan", "Plan";
    nav_inbox: "Entscheidungen", "Decisions";
    nav_events: "Ereignisse", "Events";
    nav_gates: "Gates", "Gates";
    nav_evidence: "Befunde", "Findings";
    nav_desk: "Mitteilungen", "Notices";
    nav_proof: "Nachweis", "Proof";
    nav_status: "Öffentlicher Stand", "Public status";
    nav_portal: "Ihre Dienste", "Your services";
    // answers.
    not_found_title: "Hier ist nichts", "Nothing is here";
    not_found:
        "Diese Seite gibt es nicht, oder nicht für diese Anmeldung.",
        "There is no such page, or not for this login.";
    forbidden_title: "Nicht angenommen", "Not accepted";
    foreign_form:
        "Dieses Formular kam nicht von dieser Seite oder ist zu groß. Es ist nichts geschehen.",
        "This form did not come from this site, or is too large. Nothing was done.";
    unclear_title: "Nicht verstanden", "Not understood";
    unclear_choice:
        "Es ist nicht klar, was geschehen soll. Gehen Sie zurück und wählen Sie es noch \
         einmal.",
        "It is not clear what should happen. Go back and choose again.";
    unclear_none_chosen:
        "Es ist nichts angekreuzt. Gehen Sie zurück und wählen Sie mindestens eines.",
        "Nothing is ticked. Go back and choose at least one.";
    unclear_time:
        "Eine Zeit ist nicht lesbar. Gehen Sie zurück und geben Sie Datum und Uhrzeit an.",
        "A time cannot be read. Go back and give date and time.";
    unclear_order:
        "Die Reihenfolge ist nicht lesbar. Gehen Sie zurück und geben Sie jedem Dienst eine \
         Zahl.",
        "The order cannot be read. Go back and give each service a number.";
    unclear_title_missing:
        "Der Titel fehlt in einer Sprache. Gehen Sie zurück und ergänzen Sie ihn.",
        "The title is missing in one language. Go back and add it.";
    desk_silent_title: "Im Augenblick nicht", "Not at this moment";
    desk_silent:
        "Die Leitstelle antwortet gerade nicht. Es ist nichts verloren; versuchen Sie es \
         gleich noch einmal.",
        "The control plane does not answer right now. Nothing is lost; try again in a moment.";
    back_to_start: "Zum Anfang", "To the start";
    refused_title: "Abgewiesen", "Refused";
    refused_lead:
        "Es ist nichts geschehen. Das sind alle Gründe, und was jeden beseitigt:",
        "Nothing was done. These are all the reasons, and what removes each:";
    refused_back:
        "Gehen Sie im Browser zurück; Ihre Eingaben stehen noch da.",
        "Go back in the browser; what you entered is still there.";
    remedy: "Abhilfe", "Remedy";
    // login.
    enter_lead:
        "Für Leitstelle, Forensik, Prüfung und Vertretung der Mandanten. Der öffentliche \
         Stand braucht keine Anmeldung.",
        "For the control room, forensics, auditors and tenants' representatives. The public \
         status needs no login.";
    token: "Zugangsschlüssel", "Token";
    token_hint:
        "Sie haben ihn von der Einsatzleitung. Er bleibt zwölf Stunden in diesem Browser.",
        "The operators gave it to you. It stays in this browser for twelve hours.";
    token_wrong:
        "Dieser Zugangsschlüssel gilt nicht. Prüfen Sie ihn, oder bitten Sie die \
         Einsatzleitung um einen neuen.",
        "This token is not valid. Check it, or ask the operators for a new one.";
    // general.
    all: "Alle", "All";
    show: "Anzeigen", "Show";
    show_all: "Alles zeigen", "Show all";
    filter: "Auswahl", "Filter";
    choose: "Bitte wählen", "Please choose";
    and_more: "und {} weitere", "and {} more";
    or: " oder ", " or ";
    number: "Nummer", "Number";
    at: "Zeit", "Time";
    by: "Durch", "By";
    from: "Von", "From";
    to: "Bis", "To";
    kind: "Art", "Kind";
    act: "Handlung", "Action";
    reason: "Begründung", "Reason";
    reasons: "Gründe", "Reasons";
    made: "Erstellt", "Made";
    paging: "Seiten", "Pages";
    older: "Ältere", "Older";
    newest_first: "Zu den neuesten", "To the newest";
    everything: "Alles", "Everything";
    service: "Dienst", "Service";
    services: "Dienste", "Services";
    tenant: "Mandant", "Tenant";
    tenants: "Mandanten", "Tenants";
    cell: "Zelle", "Cell";
    site: "Standort", "Site";
    sites: "Standorte", "Sites";
    size: "Größe", "Size";
    team: "Team", "Team";
    people: "Menschen dahinter", "People behind it";
    address: "Adresse am Gate", "Address at the gate";
    epoch: "Epoche", "Epoch";
    protection: "Schutzbedarf", "Protection need";
    holds_until: "Freigabe gilt bis", "Release holds until";
    stage_label: "Freigabestufe", "Stage";
    stands: "gilt", "stands";
    withdrawn: "zurückgezogen", "withdrawn";
    overtaken: "überholt", "overtaken";
    state_label: "Zustand", "State";
    today_at: "heute {}", "today {}";
    ago_now: "gerade eben", "just now";
    ago_minutes: "vor {} Min.", "{} min ago";
    ago_hours: "vor {} Std.", "{} h ago";
    ago_days: "vor {} Tagen", "{} days ago";
    span_days: "{} Tage", "{} days";
    range_sentence:
        "Wahrscheinlich bis {}; mit 80 % Sicherheit bis {}, mit 95 % bis {}.",
        "Probably by {}; with 80% certainty by {}, with 95% by {}.";
    // situation.
    no_landscape: "Noch keine Systemlandschaft", "No landscape yet";
    no_landscape_how:
        "Die Leitstelle weiß noch nicht, was sie für wen betreibt. Übernehmen Sie eine \
         geprüfte Systemlandschaft:",
        "The control plane does not know yet what it runs, and for whom. Adopt a checked \
         landscape:";
    no_incident: "Kein Vorfall", "No incident";
    calm: "Alles in gewohntem Betrieb", "Everything in ordinary operation";
    incident_since: "Vorfall seit", "Incident since";
    incident_ended: "Vorfall beendet", "Incident ended";
    day_number: "Tag {}", "day {}";
    progress: "Fortschritt", "Progress";
    restored: "Systeme wiederhergestellt", "Systems restored";
    restored_hint:
        "Technische Arbeit fertig, nach Zellen gezählt. Sagt nicht, ob jemand den Dienst \
         nutzen kann.",
        "Technical work done, counted by cells. Does not say whether anyone can use the \
         service.";
    released: "Dienste freigegeben", "Services released";
    released_hint:
        "Für Menschen offen, gewichtet nach den Versicherten oder Einwohnern dahinter.",
        "Open to people, weighted by the insured or citizens behind them.";
    cells_by_stage: "{} Zellen nach Freigabestufe", "{} cells by stage";
    due: "Jetzt fällig", "Due now";
    all_decisions: "Alle Entscheidungen", "All decisions";
    nothing_due: "Nichts wartet auf eine Entscheidung.", "Nothing waits for a decision.";
    newest: "Neueste Ereignisse", "Newest events";
    all_events: "Alle Ereignisse", "All events";
    all_gates: "Alle Gates", "All gates";
    no_events: "Noch kein Eintrag.", "No entry yet.";
    no_events_found: "Dazu steht nichts im Register.", "The ledger has nothing on this.";
    forecast_whole: "Wann alles wieder da ist", "When everything is back";
    no_forecast:
        "Noch keine Vorhersage: Sie braucht einen geltenden Plan.",
        "No forecast yet: it needs a plan in force.";
    forecast_hint:
        "Spannen statt eines Termins: mit 50, 80, 95 von 100 wird es nicht später.",
        "Ranges instead of one date: with 50, 80, 95 of 100 it is not later.";
    hits:
        "Bisher {} Spannen eingetreten; gehalten haben P50 {}, P80 {}, P95 {}.",
        "So far {} ranges came due; P50 held {}, P80 {}, P95 {}.";
    hits_short: "Trefferquote P80", "Hit rate of P80";
    restricted: "gesperrt", "restricted";
    held_until: "Forensik bis", "forensics until";
    gate_too_far: "{} weiter offen als gewollt", "{} open further than wanted";
    gate_behind: "{} noch nicht wie gewollt", "{} not yet as wanted";
    gate_even: "wie gewollt", "as wanted";
    fresh_class: "Klasse {}: {}", "Class {}: {}";
    fresh_unproven: "ohne frisches Wort, zu", "no fresh word, shut";
    fresh_fresh: "frisches Wort", "fresh word";
    fresh_held: "frisches Wort überfällig, bleibt offen", "fresh word overdue, stays open";
    fresh_stale: "frisches Wort überfällig, zu", "fresh word overdue, shut";
    gate_refused: "{} abgewiesen", "{} refused";
    no_gates: "Noch kein Gate hat sich gemeldet.", "No gate has reported yet.";
    declare: "Vorfall ausrufen", "Declare an incident";
    title_de: "Titel auf Deutsch", "Title in German";
    title_en: "Titel auf Englisch", "Title in English";
    end_incident: "Vorfall beenden", "End the incident";
    end_hint:
        "Wird abgewiesen, solange etwas zu oder nicht nachgearbeitet ist.",
        "Refused while anything is closed or not caught up.";
    // grid.
    ground: "Worauf alle aufbauen", "What all lean on";
    grid_tenants: "Mandanten × Dienste", "Tenants × services";
    grid_caption:
        "Freigabestufe jedes Dienstes jedes Mandanten",
        "Stage of every service of every tenant";
    grid_nothing: "Nichts passt zu dieser Auswahl.", "Nothing fits this filter.";
    shown_of: "{} von {}", "{} of {}";
    in_work: ", in Arbeit", ", in work";
    legend_worked: "unterstrichen: in Arbeit", "underlined: in work";
    // cell.
    why: "Was hält sie auf?", "What holds it?";
    why_unknown: "Dazu ist nichts bekannt.", "Nothing is known about this.";
    why_back:
        "Nichts: Die Zelle ist auf ihrer letzten Stufe.",
        "Nothing: the cell is at its last stage.";
    why_next: "Der nächste Schritt führt auf Stufe {}.", "The next step leads to stage {}.";
    why_nothing:
        "Nichts hält sie auf; die Freigabe kann ausgestellt werden.",
        "Nothing holds it; the release can be drawn up.";
    why_plan: "Warum im Plan nicht früher", "Why not earlier in the plan";
    held_needs: "Sie baut auf", "It leans on";
    held_after: "Der Reihe nach kommt vorher", "In order, first comes";
    held_planned: "geplant für", "planned for";
    held_tasks: "Offene Schritte:", "Steps to do:";
    held_findings: "Es fehlen Befunde:", "Findings missing:";
    held_signatures: "Es fehlen Unterschriften:", "Signatures missing:";
    held_work: "{} dauert von {} bis {}.", "{} takes from {} to {}.";
    held_team:
        "{} wartet auf das Team {}: frei gewesen wäre es {}, eine Bahn wird frei {}.",
        "{} waits for the team {}: it could have begun {}, a lane becomes free {}.";
    held_behind: "Vorher:", "Before it:";
    held_team_busy:
        "Das Team {} arbeitet bis {} an anderem.",
        "The team {} works on other things until {}.";
    held_acceptance:
        "Die Prüfer des Mandanten sind bis {} mit anderen eigenen Diensten beschäftigt.",
        "The tenant's testers are busy with its other services until {}.";
    held_site: "{} ist bis {} für die Forensik gesperrt.", "{} is held for forensics until {}.";
    held_agreed: "Vereinbart für {}.", "Agreed for {}.";
    held_calendar:
        "Keine Arbeit oder Freigabe bis {} (Nacht, Wochenende oder Sperrzeit).",
        "No work or release until {} (night, weekend or freeze).";
    tasks: "Schritte", "Steps";
    no_tasks: "Diese Zelle braucht keine Schritte.", "This cell needs no steps.";
    task_word: "Schritt", "Step";
    step: "Schritt", "step";
    steps: "Schritte", "steps";
    task_state: "Stand", "State";
    planned: "Geplant", "Planned";
    tenant_people: "Leute des Mandanten", "The tenant's people";
    task_waits: "wartet", "waits";
    task_done: "fertig", "done";
    task_runs: "läuft seit", "running since";
    task_again: "{} × wiederholt", "done again {} ×";
    task_start: "Beginnen", "Begin";
    task_finish: "Fertig melden", "Report done";
    task_fail: "Muss wiederholt werden", "Must be done again";
    findings: "Befunde", "findings";
    no_findings: "Keine Befunde.", "No findings.";
    finding_word: "Befund", "Finding";
    finding_missing: "fehlt", "missing";
    carries: "trägt die Freigabe", "carries the release";
    releases: "Freigabe und Unterschriften", "Release and signatures";
    no_release: "Keine Freigabe in Kraft oder unterwegs.", "No release in force or on its way.";
    release_to: "Freigabe auf Stufe {}", "Release to stage {}";
    release_ready:
        "Alle Unterschriften sind da; die Freigabe kann ausgeführt werden.",
        "All signatures are there; the release can be carried out.";
    release_open: "Zur Unterschrift.", "Up for signature.";
    release_done: "In Kraft seit", "In force since";
    release_dropped: "Verworfen", "Dropped";
    release_meta: "Ausgestellt von {} {}; gilt bis {}.", "Drawn up by {} {}; holds until {}.";
    fingerprint: "Prüfzahl", "Fingerprint";
    statement_show: "Was unterschrieben wird, im Wortlaut", "What is signed, word for word";
    sign_title: "Aussage unterschreiben", "Sign a statement";
    sign_lead:
        "Lesen Sie die ganze Aussage und vergleichen Sie die Ziffern am Telefon mit einer zweiten \
         Person, bevor Sie unterschreiben.",
        "Read the whole statement and compare the digits with a second person on the telephone \
         before you sign.";
    sign_do: "Mit Passkey unterschreiben", "Sign with passkey";
    sign_here: "Lesen und mit Passkey unterschreiben", "Read and sign with passkey";
    sign_not_open:
        "Hier ist von Ihnen nichts zu unterschreiben.",
        "There is nothing for you to sign here.";
    sign_no_passkey: "Im Wurzeldokument steht kein Passkey von Ihnen.",
        "The root document holds no passkey of yours.";
    reason_sign: "z. B. gelesen und verglichen", "e.g. read and compared";
    passkey_title: "Passkey einrichten", "Set up a passkey";
    passkey_lead:
        "Ihr Gerät macht einen Schlüssel, der es nicht verlässt. Die Karte damit geht an das \
         Schlüsseltreffen; erst mit dem nächsten Wurzeldokument gilt er.",
        "Your device makes a key that never leaves it. Its card goes to the key ceremony; it \
         counts only with the next root document.";
    passkey_make: "Passkey erzeugen", "Make passkey";
    passkey_card: "Karte", "Card";
    passkey_next:
        "Speichern Sie die Karte als Datei und prüfen Sie sie auf einem Rechner des Treffens; die \
         Ziffern werden dort vorgelesen.",
        "Save the card as a file and have it checked on a machine of the ceremony; the digits are \
         read out there.";
    passkey_failed: "Der Passkey hat nicht unterschrieben", "The passkey did not sign";
    signer_any:
        "noch {} Person(en) aus anderer Organisation:",
        "{} more person(s) of another organisation:";
    break_glass: "NOTÖFFNUNG", "BREAK-GLASS";
    signer_missing: "Es fehlt {} × {}:", "Missing {} × {}:";
    sign_how:
        "Der Browser hält nie Schlüssel. Vergleichen Sie die Prüfzahl und unterschreiben Sie \
         mit:",
        "The browser never holds keys. Compare the fingerprint and sign with:";
    dates: "Termine", "Dates";
    back_since: "Wieder da seit", "Back since";
    no_date:
        "Noch kein Termin; was ihn aufhält, steht oben.",
        "No date yet; what holds it is said above.";
    planned_for: "Im Plan für", "In the plan for";
    slot: "Zeitfenster", "Slot";
    gaps: "Lückenfenster", "Gap windows";
    no_gaps:
        "Keines verzeichnet: Sie wurde nie geschlossen, während sie für alle offen war.",
        "None on record: it was never shut while it was open to everyone.";
    gap_open: "noch zu", "still closed";
    caught_up: "nachgearbeitet", "caught up";
    not_caught_up: "noch nicht nachgearbeitet", "not caught up yet";
    needs: "Baut auf", "Leans on";
    no_needs: "Baut auf nichts auf.", "Leans on nothing.";
    draw_up: "Freigabe auf Stufe {} ausstellen", "Draw up a release to stage {}";
    draw_up_hint:
        "Sie geht zur Unterschrift an alle, die die Regeln verlangen, und gilt {} Tage.",
        "It goes for signature to everyone the policy demands, and holds {} days.";
    draw_up_do: "Zur Unterschrift geben", "Put up for signature";
    offer_slot: "Zeitfenster anbieten", "Offer a slot";
    // close.
    close_contain: "Schließen", "Close";
    close_lead:
        "Schließen darf eine Person, sofort. Wählen Sie, was; sehen Sie genau, welche Zellen \
         es trifft; sagen Sie, warum.",
        "One person may close, at once. Choose what; see exactly which cells it hits; say why.";
    close_what: "Was soll schließen?", "What should close?";
    close_show: "Liste zeigen", "Show the list";
    close_now: "Jetzt schließen: {}", "Close now: {}";
    close_this: "Diese Zelle schließen", "Close this cell";
    close_only: "Nur diese Zelle schließen", "Close this cell only";
    close_with: "Mit allen Abhängigen schließen: {}", "Close with all that need it: {}";
    close_count: "Schließt {}.", "Closes {}.";
    close_none: "Schließt keine offene Zelle.", "Closes no open cell.";
    close_people: "Es trifft Mandanten mit {} Menschen.", "It hits tenants with {} people.";
    close_shut:
        "{} sind schon zu; wartende Freigaben für sie verfallen.",
        "{} are shut already; releases waiting for them burn.";
    close_shut_one:
        "Eine ist schon zu; wartende Freigaben für sie verfallen.",
        "One is shut already; releases waiting for it burn.";
    close_list: "Genau diese Zellen", "Exactly these cells";
    close_left:
        "Offen bliebe, was eine davon braucht ({}):",
        "What needs one of these would stay open ({}):";
    close_own_hint:
        "Sofort zu für alle. Wieder geöffnet wird nur mit neuen Unterschriften.",
        "Shut for everyone at once. It opens again only with new signatures.";
    scope_everything: "Alles schließen", "Close everything";
    scope_site: "Alles am Standort {} schließen", "Close everything at {}";
    scope_tenant: "Alles von {} schließen", "Close everything of {}";
    scope_service: "{} bei allen schließen", "Close {} for everyone";
    scope_cell: "{} schließen", "Close {}";
    scope_dependents:
        "{} und alles, was darauf aufbaut, schließen",
        "Close {} and all that needs it";
    scope_finding:
        "Alles schließen, was auf Befund {} beruht",
        "Close all that rests on finding {}";
    // plan.
    no_plan: "Noch kein Plan in Kraft.", "No plan in force yet.";
    plan_word: "Plan", "Plan";
    plan_in_force: "Plan in Kraft", "Plan in force";
    plan_gap: "Abstand zum Optimum", "Distance from optimum";
    plan_gap_words: "höchstens {} über der unteren Schranke", "at most {} above the lower bound";
    plan_end: "Letzte Öffnung", "Last opening";
    cells_left: "Zellen im Plan", "Cells in the plan";
    plan_make: "Neu planen", "Plan again";
    plan_make_hint:
        "Rechnet einen Plan über alle Mandanten und legt ihn zur Entscheidung vor. In Kraft \
         tritt er erst, wenn Sie ihn annehmen.",
        "Works out one plan over all tenants and puts it up for decision. It comes into force \
         only when you adopt it.";
    plan_proposed: "Vorgeschlagener Plan", "Proposed plan";
    plan_adopt: "In Kraft setzen", "Put in force";
    plan_moves:
        "{} Öffnungen früher, {} später, {} unverändert.",
        "{} openings earlier, {} later, {} unchanged.";
    plans_past: "Pläne bisher", "Plans so far";
    adopted: "In Kraft seit", "In force since";
    forecast_make: "Vorhersage erstellen", "Make a forecast";
    forecast_make_hint:
        "Spielt den geltenden Plan viele Male durch und veröffentlicht die Spannen.",
        "Plays the plan in force many times and publishes the ranges.";
    rows_by: "Zeilen", "Rows";
    by_service: "Nach Diensten", "By service";
    by_tenant: "Nach Mandanten", "By tenant";
    axis_caption: "Plan auf der Zeitachse", "Plan on a time axis";
    back_of: "Wieder da", "Back";
    team_load: "Auslastung der Teams", "Load of the teams";
    lane: "Bahn", "lane";
    lanes: "Bahnen", "lanes";
    way: "Der Weg bisher", "The way so far";
    // inbox.
    inbox_sign: "Von Ihnen zu unterschreiben", "For you to sign";
    inbox_glass: "Notöffnungen ohne Rechenschaft", "Break-glass without an account";
    inbox_glass_hint:
        "Wofür wurde geöffnet, was wurde darüber getan, was war danach zu prüfen? Die Antwort \
         steht im Register.",
        "What was it for, what was done through it, what had to be looked at afterwards? The \
         answer stands in the ledger.";
    reason_review:
        "z. B. Notaufnahme brauchte die Akte; Zugriffe 9 bis 14 geprüft, nichts Fremdes",
        "e.g. emergency room needed the record; accesses 9 to 14 looked at, nothing foreign";
    inbox_ready: "Vollständig unterschrieben, auszuführen", "Fully signed, to be carried out";
    inbox_plans: "Pläne zur Entscheidung", "Plans for decision";
    inbox_slots: "Zeitfenster ohne Antwort", "Slots without an answer";
    inbox_again: "Neu anzubieten", "To be offered again";
    inbox_torn: "Vereinbarungen, die der Plan nicht hält", "Agreements the plan does not keep";
    inbox_torn_hint:
        "Planen Sie neu, oder bitten Sie den Mandanten um ein anderes Fenster.",
        "Plan again, or ask the tenant for another slot.";
    inbox_accept: "Abnahme durch Mandanten fällig", "Acceptance by tenants due";
    inbox_accept_hint:
        "Alles davor ist fertig; die Leute des Mandanten können prüfen.",
        "Everything before is done; the tenant's people can test.";
    inbox_findings: "Befunde, die noch fehlen", "Findings still missing";
    inbox_findings_hint:
        "Der Schritt ist fertig, sein Befund liegt nicht vor.",
        "The step is done, its finding is not there.";
    inbox_others: "Wartet auf andere", "Waits for others";
    step_done: "Schritt fertig", "Step done";
    agreed: "vereinbart", "agreed";
    answer_label: "Antwort", "Answer";
    release_this: "Freigabe {} ausführen", "Carry out release {}";
    release_do: "Ausgewählte ausführen", "Carry out the chosen";
    // event.
    entry: "Eintrag {}", "Entry {}";
    readers: "Für", "For";
    scope_provider: "Leute des Betreibers", "The provider's people";
    scope_everyone: "alle Mandanten", "every tenant";
    scope_everyone_public: "Öffentlichkeit", "The public";
    scope_one_tenant: "nur {}", "only {}";
    entry_body: "Der Eintrag, wie er im Register steht", "The entry as it stands in the ledger";
    no_proof: "Der Nachweis ist gerade nicht zu bekommen.", "The proof cannot be had right now.";
    proof_words:
        "{} Prüfsummen führen vom Blatt zur Wurzel über {} Einträge.",
        "{} hashes lead from the leaf to the root over {} entries.";
    leaf: "Blatt", "Leaf";
    root_hash: "Wurzel", "Root";
    proof_load: "Nachweis als JSON", "Proof as JSON";
    // gates.
    gates_lead:
        "Was jedes Gate tun soll und was es meldet. Abweichungen zuerst; weiter offen als \
         gewollt ist Alarm.",
        "What each gate should do, and what it reports. Differences first; open further than \
         wanted is an alarm.";
    heard: "Zuletzt gehört", "Last heard";
    applied: "Angewandt bis", "Applied up to";
    items_waiting: "{} stehen aus", "{} to go";
    requests: "Anfragen", "Requests";
    request_counts:
        "{} beantwortet, {} abgewiesen, {} abgeschnitten",
        "{} answered, {} refused, {} cut";
    differences: "Abweichungen", "Differences";
    wanted: "Gewollt", "Wanted";
    reported: "Gemeldet", "Reported";
    at_epoch: "Epoche {}", "epoch {}";
    refused_items: "Abgewiesene Sendungen: {}", "Refused items: {}";
    item: "Eintrag", "Item";
    // evidence.
    findings_wide: "Für den ganzen Vorfall", "For the whole incident";
    findings_wide_hint:
        "Ohne diese Befunde öffnet nichts, dessen Regel sie verlangt.",
        "Without these findings nothing opens whose rule demands them.";
    findings_of_cells: "Befunde zu Zellen", "Findings about cells";
    verdict: "Urteil", "Verdict";
    verdict_pass: "ohne Beanstandung", "clear";
    verdict_fail: "mit Beanstandung", "not clear";
    only_withdrawn: "Nur zurückgezogene", "Only withdrawn ones";
    whole_incident: "der ganze Vorfall", "the whole incident";
    evidence_digest: "Prüfsumme des Beweismittels", "Digest of the evidence";
    rests: "Worauf er gerade trägt", "What rests on it now";
    rests_nothing:
        "Keine offene Zelle beruht auf diesem Befund.",
        "No open cell rests on this finding.";
    rests_hint:
        "Genau diese Zellen: deren Freigabe ihn nennt, und alles Offene, was darauf aufbaut.",
        "Exactly these cells: those whose release names it, and every open one that needs \
         them.";
    withdraw: "Befund zurückziehen", "Withdraw the finding";
    withdraw_hint:
        "Zellen, die darauf beruhen: {}. Zurückziehen allein schließt nichts; neu freigeben \
         lässt sich damit nichts mehr.",
        "Cells that rest on it: {}. Withdrawing alone closes nothing; nothing can be released \
         on it again.";
    close_rests: "Schließen, was darauf beruht", "Close what rests on it";
    // desk.
    notices: "Mitteilungen", "Notices";
    no_notices: "Noch keine Mitteilung.", "No notice yet.";
    word_is_late:
        "Eine Mitteilung ist überfällig: Es wurde Weiteres versprochen, oder noch nichts \
         gesagt.",
        "A notice is overdue: more was promised, or nothing was said yet.";
    write: "Mitteilung schreiben", "Write a notice";
    text_de: "Text auf Deutsch", "Text in German";
    text_en: "Text auf Englisch", "Text in English";
    next_word_at: "Nächste Mitteilung um", "Next word at";
    publish: "Veröffentlichen", "Publish";
    revise: "Berichtigen", "Revise";
    revised: "berichtigt", "revised";
    revised_times: "{} × berichtigt", "revised {} ×";
    notice_number: "Mitteilung {}", "Notice {}";
    earlier: "Frühere Fassungen", "Earlier versions";
    // proof.
    proof_lead:
        "Jeder Eintrag liegt in einem Merkle-Baum. Wer den Prüfpunkt kennt, merkt jede \
         nachträgliche Änderung.",
        "Every entry lies in a Merkle tree. Whoever knows the checkpoint notices any later \
         change.";
    entries: "Einträge", "Entries";
    on_disk: "Auf der Platte", "On disk";
    pin: "Erstes Wurzeldokument (Pin der Gates)", "First root document (the gates' pin)";
    domain: "Domäne", "Domain";
    checkpoint: "Prüfpunkt", "Checkpoint";
    checkpoint_hint:
        "Unterschriebener Kopf des Registers (C2SP tlog-checkpoint). Bewahren Sie ihn auf.",
        "The ledger's signed head (C2SP tlog-checkpoint). Keep it.";
    no_checkpoint: "Noch kein unterschriebener Prüfpunkt.", "No signed checkpoint yet.";
    witnesses: "Zeugen", "Witnesses";
    witness: "Zeuge", "Witness";
    cosigned: "Gegengezeichnet", "Cosigned";
    witnesses_hint:
        "Außenstehende zeichnen den Prüfpunkt gegen. Er zählt, sobald {} von {} es getan haben; \
         zwei verschiedene Register kann dann niemand mehr zeigen.",
        "Outsiders cosign the checkpoint. It counts as soon as {} of {} have done so; nobody can \
         show two different ledgers then.";
    witnessed_to:
        "Bezeugt sind die ersten {} von {} Einträgen.",
        "The first {} of {} entries are witnessed.";
    witnesses_none_yet:
        "Noch kein Prüfpunkt ist von genug Zeugen gegengezeichnet.",
        "No checkpoint is cosigned by enough witnesses yet.";
    no_witnesses:
        "Keine Zeugen eingerichtet: Wer den Schlüssel des Registers hat, kann es neu schreiben, \
         ohne dass Außenstehende es merken (anlauf serve --witness-policy).",
        "No witnesses are set up: whoever has the ledger's key can write it anew without \
         outsiders noticing (anlauf serve --witness-policy).";
    verify_how: "So prüfen Sie es selbst", "How to verify it yourself";
    verify_all:
        "Das ganze Register: Jedes Blatt und der Baum werden neu berechnet und mit jedem \
         Prüfpunkt verglichen; beim neuesten auch die Unterschrift des Registers.",
        "The whole ledger: every leaf and the tree are computed again and held against every \
         checkpoint; of the newest, the ledger's signature too.";
    verify_one:
        "Ein Eintrag: Die erste Zeile holt seinen Nachweis in eine Datei, die zweite prüft sie \
         ohne die Leitstelle.",
        "One entry: the first line fetches its proof into a file, the second checks that \
         without the control plane.";
    verify_outside:
        "Mandanten prüfen ihre eigenen Einträge gegen den Prüfpunkt, ohne die der anderen zu \
         sehen.",
        "Tenants check their own entries against the checkpoint without seeing those of \
         others.";
    // portal.
    seen_by: "so sieht es der Mandant", "as the tenant sees it";
    restored_own: "Ihre Systeme wiederhergestellt", "Your systems restored";
    released_own: "Ihre Dienste freigegeben", "Your services released";
    released_own_hint:
        "Offen für Ihre {} Menschen, nach Diensten gezählt.",
        "Open to your {} people, counted by services.";
    due_own: "Das braucht Ihr Wort", "This needs your word";
    slots_own: "Angebotene Zeitfenster", "Slots offered";
    slots_answered: "Beantwortete Zeitfenster", "Answered slots";
    agree_do: "Ausgewählte zusagen", "Agree to the chosen";
    decline_do: "Ausgewählte ablehnen", "Decline the chosen";
    accept_own: "Zur Abnahme bereit", "Ready for acceptance";
    accept_hint:
        "Ihre Leute haben geprüft. Ein Nein hält die Freigabe auf, bis nachgebessert ist.",
        "Your people have tested. A no holds the release until it is mended.";
    accept_pass: "Abnehmen", "Accept";
    accept_fail: "Nicht abnehmen", "Do not accept";
    catch_up_own: "Nachzuarbeiten", "To be caught up";
    catch_up_hint:
        "In diesen Zeiten wurde abgewiesen. Melden Sie, wenn alles nachgesendet ist.",
        "Requests were refused in these times. Report when everything was sent again.";
    catch_up_list: "Genau diese Dienste", "Exactly these services";
    catch_up_do: "Als nachgearbeitet melden", "Report as caught up";
    sign_own: "{} Freigaben warten auf Ihre Unterschrift", "{} releases wait for your signature";
    own_cells: "Ihre Dienste", "Your services";
    expected: "Erwartet", "Expected";
    expected_hint:
        "Von P50 (wahrscheinlich) bis P95 (fast sicher). Die Spanne wird enger, je weiter die \
         Arbeit ist.",
        "From P50 (probably) to P95 (almost certainly). The range narrows as the work goes on.";
    no_date_short: "noch kein Termin", "no date yet";
    waits_for: "Wartet auf", "Waits for";
    for_you: "nur für Sie", "for you only";
    own_signatures: "Freigaben zur Unterschrift", "Releases up for signature";
    no_signatures: "Gerade ist nichts zu unterschreiben.", "Nothing to sign right now.";
    own_order: "Ihre Reihenfolge", "Your order";
    own_order_hint:
        "Was Sie zuerst brauchen, bekommt die 1. Die Reihenfolge gilt unter Ihren eigenen \
         Diensten.",
        "What you need first gets the 1. The order counts among your own services.";
    no_wish: "Sie haben noch keine Reihenfolge genannt.", "You have not stated an order yet.";
    all_back: "Alles ist wieder da.", "Everything is back.";
    wish_do: "Reihenfolge mitteilen", "State the order";
    own_proofs: "Ihr Teil des Registers", "Your part of the ledger";
    own_proofs_hint:
        "Jeder Eintrag lässt sich ohne uns prüfen.",
        "Every entry can be verified without us.";
    own_proofs_far:
        "Hier wurde nur in den letzten {} Einträgen gesucht; ältere gibt die Leitstelle über \
         ihre API aus.",
        "Only the last {} entries were looked through here; the API hands out older ones.";
    // status.
    status_running:
        "Seit {} bringen wir Dienste Schritt für Schritt zurück: erst gemeinsame, dann eine \
         Organisation nach der anderen.",
        "Since {} we have been bringing services back step by step: first the shared ones, \
         then one organisation after another.";
    status_over: "Die Dienste sind wieder da", "The services are back";
    status_over_lead: "Der Vorfall wurde {} beendet.", "The incident ended {}.";
    status_calm: "Alle Dienste laufen", "All services are running";
    status_calm_lead: "Es gibt keinen Vorfall.", "There is no incident.";
    newest_word: "Neueste Mitteilung", "Latest notice";
    earlier_words: "Frühere Mitteilungen", "Earlier notices";
    your_tenant: "Ihre Organisation", "Your organisation";
    tenant_name: "Name", "Name";
    tenant_unknown:
        "Diesen Namen finden wir nicht. Wählen Sie ihn aus der Liste.",
        "We do not find this name. Choose it from the list.";
    expected_until: "voraussichtlich bis {}", "expected by {}";
    expected_public:
        "Erwartete Tage halten mit 80 von 100. Sie können sich ändern; dann steht es hier.",
        "Expected days hold with 80 of 100. They can change; then it is said here.";
    service_all: "überall verfügbar", "available everywhere";
    service_none: "noch nicht verfügbar", "not available yet";
    service_some: "bei {} von {} verfügbar", "available at {} of {}";
    cells_word: "Zellen", "cells";
    cell_word: "Zelle", "cell";
    open_cell: "offene Zelle", "open cell";
    open_cells: "offene Zellen", "open cells";
    sign_own_one:
        "Eine Freigabe wartet auf Ihre Unterschrift",
        "One release waits for your signature";
    range_same: "Mit 95 % Sicherheit bis {}.", "With 95% certainty by {}.";
    tenant_several: "Mehrere passen. Welche ist es?", "Several fit. Which one is it?";
    // reasons as examples.
    reason_declare:
        "Verschlüsselung auf drei Servern gesehen",
        "Encryption seen on three servers";
    reason_end: "Alles zurück und nachgearbeitet", "Everything is back and caught up";
    reason_task: "Laut Plan an der Reihe", "Its turn in the plan";
    reason_close: "Neuer Fund, siehe Lagebericht 14", "New finding, see situation report 14";
    reason_draw_up: "Alle Befunde liegen vor", "All findings are there";
    reason_offer: "Arbeit absehbar fertig", "The work will be done by then";
    reason_plan: "Drei Fenster abgelehnt", "Three slots were declined";
    reason_forecast: "Neuer Plan in Kraft", "New plan in force";
    reason_adopt: "Geprüft, Abstand klein genug", "Checked, distance small enough";
    reason_release: "Im vereinbarten Fenster", "In the agreed slot";
    reason_withdraw: "Das Archiv war befallen", "The archive was infected";
    reason_publish: "Regelmäßige Mitteilung", "Regular notice";
    reason_revise: "Zahl berichtigt", "Number corrected";
    reason_slots: "Passt zu unserem Betrieb", "Fits our operations";
    reason_accept: "Prüfplan 3 durchlaufen", "Test plan 3 was run";
    reason_catch_up: "Alles nachgesendet", "Everything was sent again";
    reason_wish: "Zahlungen zuerst", "Payments first";
    @ // by index of their enum.
    list stage: [&'static str; 5] =
        ["Geschlossen", "Reinraum", "Pilotbetrieb", "Basisbetrieb", "Vollbetrieb"],
        ["Closed", "Clean room", "Pilot", "Basic", "Full"];
    list stage_short: [&'static str; 5] =
        ["zu", "RR", "Pi", "Ba", "Vo"],
        ["cl", "cr", "pi", "ba", "fu"];
    list stage_public: [&'static str; 5] =
        [
            "noch nicht verfügbar",
            "noch nicht verfügbar",
            "wird mit Testern geprüft",
            "eingeschränkt verfügbar",
            "verfügbar",
        ],
        [
            "not available yet",
            "not available yet",
            "being tried by testers",
            "available with limits",
            "available",
        ];
    list task: [&'static str; 8] =
        [
            "Spuren sichern",
            "Wiederaufbau",
            "Suche nach Befall",
            "Zugangsdaten tauschen",
            "Funktionstest",
            "Abnahme",
            "Rückführung",
            "Freigabeentscheidung",
        ],
        [
            "Evidence",
            "Rebuild",
            "Scan",
            "Rotate credentials",
            "Functional test",
            "Acceptance",
            "Return",
            "Release decision",
        ];
    list finding: [&'static str; 8] =
        [
            "Urteil der Forensik",
            "Sicherung unbefallen",
            "Suche ohne Fund",
            "Zugangsdaten getauscht",
            "Funktion geprüft",
            "Vom Mandanten abgenommen",
            "Einfallsweg geschlossen",
            "Im Regelbetrieb abgenommen",
        ],
        [
            "Forensics' verdict",
            "Backup clean",
            "Scan clean",
            "Credentials rotated",
            "Function tested",
            "Accepted by the tenant",
            "Entry path closed",
            "Commissioned",
        ];
    list role: [&'static str; 9] =
        [
            "Einsatzleitung",
            "Sicherheit",
            "Verfahrensverantwortung",
            "Mandant",
            "Forensik",
            "Prüfung",
            "Automat",
            "Gate",
            "Öffentlichkeit",
        ],
        [
            "Operator",
            "Security",
            "Service owner",
            "Tenant",
            "Forensics",
            "Auditor",
            "Automation",
            "Gate",
            "Public",
        ];
    list answer: [&'static str; 5] =
        ["noch ohne Antwort", "vereinbart", "abgelehnt", "verpasst", "gehalten"],
        ["no answer yet", "agreed", "declined", "missed", "kept"];
    list class: [&'static str; 3] =
        ["sehr hoch (A)", "hoch (B)", "normal (C)"],
        ["very high (A)", "high (B)", "normal (C)"];
    list weekday: [&'static str; 7] =
        ["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"],
        ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    list event_kind: [&'static str; 10] =
        [
            "Grundlagen",
            "Vorfall",
            "Schließung",
            "Arbeit",
            "Befund",
            "Plan",
            "Vereinbarung",
            "Freigabe",
            "Gate",
            "Mitteilung",
        ],
        [
            "Foundations",
            "Incident",
            "Close",
            "Work",
            "Finding",
            "Plan",
            "Agreement",
            "Release",
            "Gate",
            "Notice",
        ];
    list held_word: [&'static str; 6] =
        [
            "Es ist noch kein Zeitfenster angeboten.",
            "Der Mandant hat das Zeitfenster noch nicht beantwortet.",
            "Das Zeitfenster ist vereinbart.",
            "Der Mandant hat das Zeitfenster abgelehnt.",
            "Das vereinbarte Zeitfenster ist verstrichen.",
            "Das Zeitfenster wurde gehalten.",
        ],
        [
            "No slot was offered yet.",
            "The tenant has not answered the slot yet.",
            "The slot is agreed.",
            "The tenant declined the slot.",
            "The agreed slot has passed.",
            "The slot was kept.",
        ];
    list due_kind: [(&'static str, &'static str); 10] =
        [
            (
                "Zelle ist an einem Gate weiter offen als gewollt:",
                "Zellen sind an einem Gate weiter offen als gewollt",
            ),
            (
                "Mitteilung an die Öffentlichkeit ist überfällig",
                "Mitteilungen sind überfällig",
            ),
            (
                "Freigabe wartet auf Ihre Unterschrift:",
                "Freigaben warten auf Ihre Unterschrift:",
            ),
            (
                "Freigabe ist vollständig unterschrieben:",
                "Freigaben sind vollständig unterschrieben:",
            ),
            (
                "Plan wartet auf Entscheidung",
                "Pläne warten auf Entscheidung",
            ),
            (
                "Zeitfenster wartet auf Ihre Antwort:",
                "Zeitfenster warten auf Ihre Antwort:",
            ),
            (
                "Dienst ist zur Abnahme bereit:",
                "Dienste sind zur Abnahme bereit:",
            ),
            (
                "Befund fehlt nach fertigem Schritt:",
                "Befunde fehlen nach fertigem Schritt:",
            ),
            (
                "Zeitfenster ist neu anzubieten:",
                "Zeitfenster sind neu anzubieten:",
            ),
            (
                "Vereinbarung hält der Plan nicht:",
                "Vereinbarungen hält der Plan nicht:",
            ),
        ],
        [
            (
                "cell is open further than wanted at a gate",
                "cells are open further than wanted at a gate",
            ),
            (
                "notice to the public is overdue",
                "notices are overdue",
            ),
            (
                "release waits for your signature:",
                "releases wait for your signature:",
            ),
            (
                "release is fully signed:",
                "releases are fully signed:",
            ),
            (
                "plan waits for a decision",
                "plans wait for a decision",
            ),
            (
                "slot waits for your answer:",
                "slots wait for your answer:",
            ),
            (
                "service is ready for acceptance:",
                "services are ready for acceptance:",
            ),
            (
                "finding is missing after its step:",
                "findings are missing after their steps:",
            ),
            (
                "slot has to be offered again:",
                "slots have to be offered again:",
            ),
            (
                "agreement the plan does not keep:",
                "agreements the plan does not keep:",
            ),
        ];
}
