//! Coming in, going out, roles and bans.

use protocol::ErrorCode;
use protocol::chat::Members;
use serde_json::json;

use super::world::World;

#[tokio::test]
async fn who_is_invited_sees_a_group_from_joining_on_and_who_is_in_is_passed_over() {
    let world = World::new();
    let [owner, member, late] = world.people();
    let group = world.group(owner, &[member]).await;
    owner.send(&world, group, "before").await.unwrap();
    let body = json!({ "users": [member.id, late.id, late.id] });
    assert_eq!(member.act(&world, "members.invite", group, body.clone()).await, Err(ErrorCode::Forbidden));
    owner.act(&world, "members.invite", group, body).await.unwrap();
    let seen = late.conversation(&world, group).await.unwrap();
    assert_eq!((seen.members, seen.unread, seen.last_message), (3, 0, None));
    owner.send(&world, group, "after").await.unwrap();
    assert_eq!(late.conversation(&world, group).await.unwrap().unread, 1);
}

#[tokio::test]
async fn an_unknown_user_is_told_only_to_who_may_invite() {
    let world = World::new();
    let [owner, member] = world.people();
    let group = world.group(owner, &[member]).await;
    let body = json!({ "users": [protocol::UserId::now()] });
    assert_eq!(owner.act(&world, "members.invite", group, body.clone()).await, Err(ErrorCode::NotFound));
    assert_eq!(member.act(&world, "members.invite", group, body).await, Err(ErrorCode::Forbidden));
}

#[tokio::test]
async fn roles_decide_who_removes_whom() {
    let world = World::new();
    let [owner, admin, other_admin, member] = world.people();
    let group = world.group(owner, &[admin, other_admin, member]).await;
    for target in [admin, other_admin] {
        let body = json!({ "user": target.id, "role": "admin" });
        assert_eq!(member.act(&world, "members.role", group, body.clone()).await, Err(ErrorCode::Forbidden));
        owner.act(&world, "members.role", group, body).await.unwrap();
    }
    assert_eq!(member.on(&world, "members.kick", group, admin).await, Err(ErrorCode::Forbidden));
    assert_eq!(admin.on(&world, "members.kick", group, other_admin).await, Err(ErrorCode::Forbidden));
    assert_eq!(admin.on(&world, "members.ban", group, owner).await, Err(ErrorCode::Forbidden));
    assert_eq!(owner.on(&world, "members.kick", group, owner).await, Err(ErrorCode::Conflict));
    admin.on(&world, "members.kick", group, member).await.unwrap();
    assert_eq!(admin.on(&world, "members.kick", group, member).await, Err(ErrorCode::NotFound));
    assert_eq!(member.send(&world, group, "still here").await.unwrap_err(), ErrorCode::NotFound);
    owner.on(&world, "members.kick", group, admin).await.unwrap();
}

#[tokio::test]
async fn the_last_owner_stays_until_there_is_another_or_nobody_else() {
    let world = World::new();
    let [owner, member] = world.people();
    let group = world.group(owner, &[member]).await;
    let step_down = json!({ "user": owner.id, "role": "member" });
    assert_eq!(owner.act(&world, "members.role", group, step_down.clone()).await, Err(ErrorCode::LastOwner));
    assert_eq!(owner.act(&world, "members.leave", group, json!({})).await, Err(ErrorCode::LastOwner));
    owner.act(&world, "members.role", group, json!({ "user": member.id, "role": "owner" })).await.unwrap();
    owner.act(&world, "members.role", group, step_down).await.unwrap();
    owner.act(&world, "members.leave", group, json!({})).await.unwrap();
    member.act(&world, "members.leave", group, json!({})).await.unwrap();
    assert_eq!(member.conversation(&world, group).await.unwrap_err(), ErrorCode::NotFound);
}

#[tokio::test]
async fn a_ban_keeps_out_until_it_is_lifted() {
    let world = World::new();
    let [owner, troll] = world.people();
    let channel = world.channel(owner).await;
    troll.act(&world, "channels.join", channel, json!({})).await.unwrap();
    let seq = owner.on(&world, "members.ban", channel, troll).await.unwrap();
    assert_eq!(owner.on(&world, "members.ban", channel, troll).await, Ok(seq), "banning again changes nothing");
    assert_eq!(troll.act(&world, "channels.join", channel, json!({})).await, Err(ErrorCode::Banned));
    assert_eq!(troll.conversation(&world, channel).await.unwrap_err(), ErrorCode::NotFound);
    owner.on(&world, "members.unban", channel, troll).await.unwrap();
    troll.act(&world, "channels.join", channel, json!({})).await.unwrap();

    let group = world.group(owner, &[]).await;
    owner.on(&world, "members.ban", group, troll).await.unwrap();
    let invite = json!({ "users": [troll.id] });
    assert_eq!(owner.act(&world, "members.invite", group, invite.clone()).await, Err(ErrorCode::Conflict));
    owner.on(&world, "members.unban", group, troll).await.unwrap();
    owner.act(&world, "members.invite", group, invite).await.unwrap();
    let names: Vec<_> = world.conversation_log(group).await.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names[2..], ["member.banned", "member.unbanned", "member.joined"]);
}

#[tokio::test]
async fn members_are_listed_in_pages_with_their_markers() {
    let world = World::new();
    let owner = world.person();
    let members: [_; 6] = world.people();
    let group = world.group(owner, &members).await;
    let sent = owner.send(&world, group, "hello").await.unwrap();
    let mut seen = Vec::new();
    loop {
        let body = json!({ "after": seen.last().map(|member: &protocol::chat::Member| member.user), "limit": 3 });
        let page: Members = members[0].ask(&world, "members.list", Some(group), body).await.unwrap();
        seen.extend(page.members);
        if !page.more {
            break;
        }
    }
    assert_eq!(seen.len(), 7);
    assert!(seen.is_sorted_by_key(|member| member.user));
    let own = seen.iter().find(|member| member.user == owner.id).unwrap();
    assert_eq!(own.read_seq, Some(sent.position.seq), "who writes has read what stands before");
}

#[tokio::test]
async fn what_members_do_to_each_other_is_audited_and_so_is_what_they_may_not() {
    let world = World::new();
    let [owner, member] = world.people();
    let group = world.group(owner, &[member]).await;
    assert_eq!(member.on(&world, "members.kick", group, owner).await, Err(ErrorCode::Forbidden));
    owner.on(&world, "members.kick", group, member).await.unwrap();
    world.chat.shared.spool.drain().await;
    let actions = world
        .chat
        .store()
        .read("audit/query", |connection| {
            let filter = runtime::audit::Filter { limit: 10, ..Default::default() };
            runtime::audit::query(connection, &filter)
                .map(|records| records.into_iter().map(|record| record.event).collect::<Vec<_>>())
        })
        .await
        .unwrap();
    let told: Vec<_> = actions.iter().map(|event| (event.action.as_ref(), event.result.as_str())).collect();
    for expected in [("conversation.create", "allowed"), ("member.kick", "allowed"), ("members.kick", "denied")] {
        assert!(told.contains(&expected), "{expected:?} in {told:?}");
    }
}
