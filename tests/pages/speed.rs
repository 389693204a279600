//! The benchmark of the pages in small: that everything it measures is there to be measured. Not here: figures.

use std::time::Duration;

use channel_tests::{
    World,
    speed::{self, Desk, Rounds},
};

use crate::street;

#[tokio::test(flavor = "multi_thread")]
async fn the_benchmark_of_the_pages_measures_everything() {
    let world = World::new().await;
    street::others(&world).await;
    let maya = street::maya(&world).await;
    world.conversation(maya.igsid()).await;
    world.settled().await;
    let desk = Desk {
        address: world.address.clone(),
        token: world.token.clone(),
        // Pages are open here; a session is a cookie like any other.
        cookies: vec![("language".into(), "en".into())],
        app_secret: world.sim.config().app_secret.expose().to_owned(),
        account: world.sim.accounts()[0].ig_id.clone(),
    };
    let all = speed::measure(&desk, Rounds { count: 2, pause: Duration::ZERO }).await;
    for one in &all {
        assert!(one.times.len() == 2 && one.times.iter().all(|time| *time > 0.0), "{}: {:?}", one.what, one.times);
    }
    let aimed = |aim: f64| all.iter().filter(|one| one.aim == Some(aim)).count();
    assert_eq!([20.0, 150.0, 300.0].map(aimed), [6, 8, 3]);
    assert!(speed::table(&all).contains("drawn in the open thread"));
}
