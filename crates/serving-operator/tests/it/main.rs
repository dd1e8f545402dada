//! The operator as a process, under exactly its rights, on a real API server with a real node, with the real definitions of
//! KServe and Gateway API. KServe itself and the Gateway are stand-ins, and their names say so. The client of image registries has
//! stand-ins in this process.
#![expect(
    unused_crate_dependencies,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod chart;
mod cluster_kinds;
mod declared;
mod definitions;
mod image;
mod images;
mod life;
mod metrics;
mod process;
mod registry;
mod rig;
mod rights;
mod routes;
mod shared_template;
mod specs;
mod stand_ins;
mod troubles;

/// One cluster and one operator for all of it: each scenario has a namespace of its own, and they run side by side.
#[tokio::test(flavor = "multi_thread")]
async fn the_operator_on_a_real_cluster() {
    let Some(rig) = rig::Rig::start().await else {
        return;
    };
    tokio::join!(
        life::a_service_goes_from_image_to_running_and_leaves_nothing_behind(&rig),
        cluster_kinds::models_and_templates_of_the_cluster_serve_every_namespace(&rig),
        troubles::failures_of_a_download_are_told_apart_in_the_containers_own_words(&rig),
        troubles::the_failure_of_a_download_reaches_cache_and_service(&rig),
        troubles::what_a_service_asks_for_and_cannot_get_is_named_in_its_status(&rig),
        troubles::a_secret_is_referenced_and_never_read(&rig),
        images::a_registry_is_asked_with_a_pull_secret_that_the_operator_was_let_read(&rig),
        shared_template::services_with_the_same_overrides_share_a_template_until_the_last_of_them_goes(&rig),
        routes::a_route_is_ready_by_its_own_gateways_word_on_this_generation(&rig),
        metrics::metrics_are_for_who_may_get_them_and_probes_for_the_kubelet(&rig),
        chart::the_commands_of_the_page_work_and_helper_roles_give_what_is_tabulated(&rig),
    );
    declared::no_status_says_what_is_declared_nowhere(&rig).await;
    rights::every_right_is_used_and_none_is_missing(&rig);
}
