use super::world::*;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, dangerous};
use link::AccessClaims;
use protocol::ErrorCode;
use protocol::accounts::Grant;
use serde_json::json;

async fn key_set(world: &World) -> JwkSet {
    world.ask(call("auth.jwks", json!({}))).await.unwrap()
}

fn kids(set: &JwkSet) -> Vec<String> {
    set.keys.iter().filter_map(|key| key.common.key_id.clone()).collect()
}

fn kid(grant: &Grant) -> String {
    jsonwebtoken::decode_header(&grant.access_token).unwrap().kid.unwrap()
}

fn verify(set: &JwkSet, grant: &Grant) {
    let key = DecodingKey::from_jwk(set.find(&kid(grant)).unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_issuer(&[link::token::ISSUER]);
    validation.set_audience(&[link::token::AUDIENCE]);
    let read = jsonwebtoken::decode::<AccessClaims>(&grant.access_token, &key, &validation).unwrap();
    assert_eq!(read.claims, dangerous::insecure_decode_claims(&grant.access_token).unwrap());
}

#[tokio::test]
async fn a_rotation_publishes_first_signs_later_and_keeps_the_old_key_until_its_tokens_are_gone() {
    let world = World::new();
    let old = world.register("ada").await;
    let (new_kid, signs_from) = world.auth.rotate_keys().await.unwrap();
    let published = key_set(&world).await;
    assert_eq!(kids(&published), [kid(&old), new_kid.clone()]);
    assert_eq!(world.auth.rotate_keys().await.unwrap_err().code, ErrorCode::Conflict);

    world.clock.advance(MINUTE - 1);
    let last_of_old: Grant = world.ask(login("ada", PASSWORD)).await.unwrap();
    assert_eq!(kid(&last_of_old), kid(&old));
    world.clock.advance(1);
    let first_of_new: Grant = world.ask(login("ada", PASSWORD)).await.unwrap();
    assert_eq!(kid(&first_of_new), new_kid);
    assert_eq!(claims(&first_of_new).iat_ms, signs_from);
    // Who fetched the set when the key was published verifies both.
    verify(&published, &last_of_old);
    verify(&published, &first_of_new);

    world.clock.advance(5 * MINUTE);
    world.auth.tidy().await.unwrap();
    assert_eq!(kids(&key_set(&world).await).len(), 2);
    world.clock.advance(MINUTE);
    world.auth.tidy().await.unwrap();
    assert_eq!(kids(&key_set(&world).await), std::slice::from_ref(&new_kid));
    let world = world.restart().await;
    assert_eq!(kids(&key_set(&world).await), [new_kid]);
}

#[tokio::test]
async fn keys_survive_a_restart_and_no_private_part_is_published() {
    let world = World::new();
    let grant = world.register("ada").await;
    let world = world.restart().await;
    let reply = world.send(call("auth.jwks", json!({}))).await;
    let text = String::from_utf8(reply.result.clone().unwrap().to_vec()).unwrap();
    assert!(!text.contains("\"d\""));
    verify(&reply.parse().unwrap(), &grant);
}

#[tokio::test]
async fn nobody_else_may_look_into_the_folder_of_the_keys() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    std::fs::set_permissions(world.directory(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let world = world.restart().await;
    let mode = std::fs::metadata(world.directory()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}
