//! A copy of an insurer's data: damage is named by it, and comes back from it.

use reference_provider::kernel::backup;
use reference_provider::kernel::house::House;
use reference_provider::kernel::stock::Stock;
use reference_provider::record::manifest;

use crate::record::Person;
use crate::stage::{AMSEL, EISVOGEL, Stage};

#[test]
fn a_destroyed_store_comes_back_from_its_backup_and_what_came_in_since_is_named() {
    let stage = Stage::new();
    let (house, room) = (&stage.house, tempfile::TempDir::new().expect("a folder"));
    let tenant = house.tenant(EISVOGEL).expect("an insurer");
    let folder = room.path().join("backup");
    let copy = backup::take(tenant, &folder).expect("a backup");
    let stock = Stock::take(&copy, &house.master).expect("a stock");
    let made = manifest::make(&copy, &house.master, stage.time()).expect("a manifest");
    assert!(
        stock
            .0
            .contains_key(&format!("insured/{}", crate::stage::kvnr(EISVOGEL, 2)))
    );
    copy.store.let_go();
    copy.records.let_go();
    assert!(backup::take(tenant, &folder).is_err(), "never over another");

    let change = "UPDATE insured SET family = 'Anders' WHERE kvnr = ?1";
    let changed = crate::stage::kvnr(EISVOGEL, 3);
    tenant
        .store
        .with(|c| c.execute(change, [&changed]))
        .expect("a change");
    let found = stock.against(&Stock::take(tenant, &house.master).expect("a stock"));
    assert_eq!(found.altered, [format!("insured/{changed}")]);
    assert!(found.missing.is_empty() && found.added.is_empty());

    let person = Person::new(&stage, 2);
    let late = crate::record::binary("after the backup");
    assert_eq!(person.send("/epa/Binary", &late, &[]).status, 201);
    tenant.store.let_go();
    std::fs::write(tenant.store.path(), [7_u8; 40_960]).expect("destroyed");
    assert!(
        Stock::take(tenant, &house.master).is_err(),
        "nothing to vouch for"
    );
    let opened = House::open(house.settings.clone()).expect("the others are served");
    let other = opened.tenant(AMSEL).expect("another");
    assert!(Stock::take(other, &opened.master).is_ok());

    backup::bring_back(tenant, &folder).expect("restored");
    let now = Stock::take(tenant, &house.master).expect("a stock");
    assert!(stock.against(&now).is_whole());
    let verdict = manifest::verify(tenant, &house.master, (&made, stage.time())).expect("one");
    assert!(verdict.whole && verdict.added.is_empty(), "{verdict:?}");
    let person = Person::new(&stage, 2);
    assert_eq!(person.found("/epa/DocumentReference")["total"], 3);
}
