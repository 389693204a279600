//! A shop with customers: what the tests of the inbox's pages look at. Belongs here: what customers do, one line each.

use channel_tests::World;
use simulator::{CdnFile, Customer};

/// A customer with a name.
pub(crate) fn customer(world: &World, id: &str, name: &str) -> Customer {
    let customer = world.sim.customer(id);
    customer.set_profile(|profile| {
        profile.name = Some(name.to_owned());
        profile.username = name.to_lowercase().replace(' ', ".");
    });
    customer
}

/// The address of a file that the platform serves.
pub(crate) fn file(world: &World, mime: &str, content: &[u8]) -> String {
    world.sim.host_file(CdnFile::new(mime, content))
}

/// A customer who sends one of everything.
pub(crate) async fn maya(world: &World) -> Customer {
    let maya = customer(world, "551982014663702", "Maya Lindqvist");
    maya.text_from_ad("Do you ship abroad?", "autumn", "120330000012345", "Autumn glazes, made slowly").await;
    let photo = file(world, "image/png", &CdnFile::demo_photo().bytes);
    maya.photo(&photo).await;
    maya.photos(&[&photo, &file(world, "image/png", &CdnFile::demo_photo().bytes)]).await;
    maya.video(&file(world, "video/mp4", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom")).await;
    maya.voice(&file(world, "audio/mp4", b"\0\0\0\x18ftypM4A \0\0\0\0M4A isom")).await;
    maya.file(&file(world, "application/pdf", b"%PDF-1.4\n%%EOF\n")).await;
    maya.like_heart().await;
    maya.share_post("17900000000000001", "Tall vase, river green", &photo).await;
    maya.share_reel("17900000000000002", "Rolling a rope rim without cracks", &photo).await;
    maya.story_mention(&photo).await;
    maya.story_reply("17900000000000003", &photo, "Is that glaze more blue or more green?").await;
    maya.view_once().await;
    maya.unsupported().await;
    let mistake = maya.text("Wrong chat, sorry").await;
    maya.unsend(mistake.mid()).await;
    let edited = maya.text("Coud you make the rim like this?").await;
    maya.edit(edited.mid(), "Could you make the rim like this?").await;
    maya.business_writes_in_app("More green than it looks on a screen!").await;
    maya.postback("Where is my order?", "ORDER").await;
    maya.comment("17900000000000004", "Will you be at the winter market?").await;
    maya.text("I’d love both! Could you ship them by Friday? 🎁\nIt’s for my sister: https://fernandclay.example/vase")
        .await;
    maya
}

/// More customers, so that there is a list.
pub(crate) async fn others(world: &World) {
    for (id, name, text) in [
        ("551982014663711", "Tomás Rivera", "Is the mug dishwasher safe?"),
        ("551982014663712", "ليلى حداد", "شكراً! متى تبدأ ورشة العمل القادمة؟"),
        ("551982014663713", "Priya Nair", "How much is it?"),
        ("551982014663714", "Ben Okafor", "Thank you!"),
    ] {
        customer(world, id, name).text(text).await;
    }
    world.sim.customer("551982014663307").text("hello").await;
}
