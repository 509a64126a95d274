//! Every limit of the product, with its name and its reason.
//!
//! In:    nothing. Out: constants. Never: a limit without a reason.

/// Longest id of a site, tenant, service, team, person, organisation or gate. Bytes.
///
/// 63 so that an id is also a legal DNS label (RFC 1035 §2.3.4).
pub const ID_SIZE_MAX: usize = 63;

/// Largest single file of a landscape. Bytes. 4 MiB holds 36,000 tenants with room.
pub const LANDSCAPE_FILE_SIZE_MAX: u64 = 4 * 1024 * 1024;

/// Most files in a landscape folder.
pub const LANDSCAPE_FILE_COUNT_MAX: usize = 64;

/// Most errors one reading of a landscape names; more help nobody at once.
pub const SOURCE_ERROR_COUNT_MAX: usize = 50;

/// Most sites of one landscape.
pub const SITE_COUNT_MAX: usize = 64;

/// Most tenants of one landscape (largest public case: 36,000 customers, Kaseya 2021).
pub const TENANT_COUNT_MAX: usize = 40_000;

/// Most service types of one landscape (largest public case: 180 products, Südwestfalen-IT 2023).
pub const SERVICE_COUNT_MAX: usize = 500;

/// Most cells of one landscape.
pub const CELL_COUNT_MAX: usize = 1_000_000;

/// Most instances of one service at one tenant. Numbered with two digits.
pub const INSTANCE_COUNT_MAX: u32 = 99;

/// Most people who may sign for one tenant. A quorum needs fewer than ten.
pub const APPROVER_COUNT_MAX: u32 = 99;

/// Longest id of a tenant. Bytes. Leaves room for `.approver-99` in the ids of its people.
pub const TENANT_ID_SIZE_MAX: usize = ID_SIZE_MAX - ".approver-99".len();

/// Longest id of a service that is numbered. Bytes. Leaves room for `-99`.
pub const NUMBERED_SERVICE_ID_SIZE_MAX: usize = ID_SIZE_MAX - "-99".len();

/// Largest estimate of one step of one cell. Hours; a year. Beyond it is a slip of the pen.
pub const WORK_HOURS_MAX: f64 = 8_760.0;

/// Largest gate table. Bytes. A million cells of about 500 bytes.
pub const GATE_TABLE_SIZE_MAX: usize = 512 * 1024 * 1024;

/// Most teams of one landscape.
pub const TEAM_COUNT_MAX: usize = 200;

/// Most people with a role in one landscape.
pub const PERSON_COUNT_MAX: usize = 200_000;

/// Most keys in a tenant's own list.
pub const DELEGATION_KEY_COUNT_MAX: usize = 64;

/// Most cells one signing act may cover.
///
/// 2,000 so that a reference landscape (1,790 cells) can be commissioned in one act.
pub const WAVE_CELL_COUNT_MAX: usize = 2_000;

/// Largest signed envelope. Bytes. A wave of 2,000 cells that rest on every kind of finding has
/// about 3 MiB; more is refused unread.
pub const ENVELOPE_SIZE_MAX: usize = 3584 * 1024;

/// Most signatures in one envelope; a quorum needs fewer than ten.
pub const SIGNATURE_COUNT_MAX: usize = 64;

/// Longest life of a release. Days (trust study §4.3: class A at most 90 days).
pub const RELEASE_LIFETIME_DAYS_MAX: i64 = 90;

/// Longest life of a break-glass. Minutes from its beginning, which is when it is drawn up: whoever
/// signs does so later. Four hours, so that a night is bridged and not a recovery (trust study
/// §1.2, against the break-glass of Binary Authorization: one label by one person, without an end).
pub const BREAK_GLASS_MINUTES_MAX: u32 = 240;

/// Persons, and organisations, that must sign a break-glass at least. One could be forced or
/// bought.
pub const BREAK_GLASS_PERSON_COUNT_MIN: u32 = 2;

const _: () = assert!((BREAK_GLASS_MINUTES_MAX as i64) < RELEASE_LIFETIME_DAYS_MAX * 24 * 60);

/// Longest life of a root document. Days. A yearly ceremony plus a month of delay.
pub const ROOT_LIFETIME_DAYS_MAX: i64 = 400;

/// Shortest time after which a gate's word counts as stale. Minutes. A gate asks four times in it,
/// and holds a question for up to 25 seconds.
pub const FRESHNESS_MINUTES_MIN: u32 = 2;

/// Longest time after which a gate's word counts as stale. Minutes; a week. Whoever needs longer
/// demands no freshness (trust study §4.4: class A 15 minutes, B 4 hours, C 72 hours).
pub const FRESHNESS_MINUTES_MAX: u32 = 7 * 24 * 60;

/// How far the clock of who answers a gate's beacon and the gate's own may differ. Minutes.
pub const FRESHNESS_CLOCKS_APART_MINUTES_MAX: i64 = 5;

/// Longest reason text. Bytes.
pub const REASON_SIZE_MAX: usize = 2_000;

/// Longest idempotency key. Bytes.
pub const IDEMPOTENCY_KEY_SIZE_MAX: usize = 128;

/// Most cells or tasks one command may name.
pub const COMMAND_ITEM_COUNT_MAX: usize = 20_000;

/// Largest request body the API accepts. Bytes.
pub const REQUEST_BODY_SIZE_MAX: usize = 4 * 1024 * 1024;

/// Events one transaction may hold (group commit closes the batch at this count).
pub const BATCH_EVENT_COUNT_MAX: usize = 512;

const _: () = assert!(CELL_COUNT_MAX >= WAVE_CELL_COUNT_MAX);
const _: () = assert!(COMMAND_ITEM_COUNT_MAX >= WAVE_CELL_COUNT_MAX);
const _: () = assert!(REQUEST_BODY_SIZE_MAX >= ENVELOPE_SIZE_MAX);
