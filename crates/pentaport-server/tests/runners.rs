//! One suite, run under each model.

#![forbid(unsafe_code)]

mod suite;

/// A module for each model, with a test for each function of the suite.
macro_rules! under_each_model {
    ($($module:ident: $model:ident),+ $(,)?) => {
        $(mod $module {
            under_each_model!(@tests $model
                flow::echoes_every_byte_of_200_connections,
                flow::many_small_messages_in_flight_come_back_in_order,
                flow::a_client_that_reads_late_gets_every_byte,
                flow::a_client_that_never_reads_costs_bounded_memory,
                flow::an_endless_service_leaves_room_for_others,
                flow::a_client_that_ended_its_side_gets_all_its_bytes,
                flow::data_and_the_end_that_come_together_are_both_seen,
                flow::discards_what_it_receives,
                #[cfg_attr(windows, ignore = "Wine 8: a reset is told as a close, if nobody receives when it comes")]
                endings::every_reset_of_200_is_told,
                endings::refuses_when_full_and_accepts_again_after,
                endings::the_service_admits_whom_it_likes,
                endings::an_idle_client_is_closed_and_a_busy_one_is_not,
                endings::a_client_that_does_not_read_is_idle_too,
                endings::a_service_can_end_a_connection,
                endings::a_handler_that_panics_costs_its_own_connection,
                endings::a_stop_sends_what_is_queued,
                endings::a_stop_ends_clients_that_neither_read_nor_leave,
                endings::a_stop_ends_silent_clients,
                endings::a_stop_without_clients_ends_at_once,
                endings::a_harder_stop_cuts_the_drain_short,
                endings::the_address_is_free_after_the_server,
                outside::reaches_a_client_that_is_silent,
                outside::a_client_that_never_reads_refuses_more,
                outside::what_was_sent_before_a_stop_arrives,
                outside::a_chat_of_50_hears_every_message_of_each,
                rest::sleeps_with_no_clients_and_with_idle_ones,
                rest::serves_a_few_among_1000_that_are_idle,
                rest::a_handler_that_waits_alertably_leaves_nobody_waiting,
                stops::who_exchanges_without_pause_is_answered_and_then_reset,
                stops::who_streams_without_pause_is_answered_and_then_reset,
                stops::who_streams_to_a_service_without_answers_is_reset,
                stops::what_had_come_before_a_stop_is_answered,
                #[cfg_attr(windows, ignore = "Wine 8: a reset that came before the receive is told as a close (S24)")]
                stops::without_time_to_drain_what_had_come_is_answered_or_reset,
                stops::what_comes_after_the_end_is_cut_off,
                #[cfg_attr(windows, ignore = "Wine 8: a reset that came before the receive is told as a close (S24)")]
                stops::who_does_not_take_its_answers_is_reset,
                stops::who_has_ended_its_side_gets_all_answers,
                stops::clients_that_come_meanwhile_lose_nothing_unseen,
                stops::an_endless_service_ends_in_order,
                stops::an_answer_in_pieces_is_completed,
                stops::who_is_only_sent_to_is_ended_in_order,
                stops::what_is_sent_from_outside_until_the_end_arrives,
            );
        })+

        #[test]
        fn no_model_is_left_out() {
            assert_eq!(pentaport_server::Model::ALL, [$(pentaport_server::Model::$model),+]);
        }
    };
    (@tests $model:ident $($(#[$attribute:meta])* $group:ident::$test:ident),+ $(,)?) => {
        $(#[test]
        $(#[$attribute])*
        fn $test() {
            crate::suite::$group::$test(pentaport_server::Model::$model);
        })+
    };
}

under_each_model! {
    thread_per_client: ThreadPerClient,
    select: Select,
    async_select: AsyncSelect,
    event_select: EventSelect,
    overlapped_event: OverlappedEvent,
    overlapped_routine: OverlappedRoutine,
    completion_port: CompletionPort,
}

/// A module for each test, with a function for each model, so that a model can say what Wine does.
macro_rules! as_each_model_may {
    ($($group:ident::$test:ident: { $($(#[$attribute:meta])* $module:ident: $model:ident),+ $(,)? })+) => {
        $(mod $test {
            use pentaport_server::Model;

            const MODELS: &[Model] = &[$(Model::$model),+];

            #[test]
            fn no_model_is_left_out() {
                assert_eq!(Model::ALL, MODELS);
            }

            $(#[test]
            $(#[$attribute])*
            fn $module() {
                crate::suite::$group::$test(Model::$model);
            })+
        })+
    };
}

as_each_model_may! {
    endings::a_reset_is_told_from_a_close: {
        thread_per_client: ThreadPerClient,
        #[cfg_attr(windows, ignore = "Wine 8: a reset is told as a close, if nobody receives when it comes")]
        select: Select,
        #[cfg_attr(windows, ignore = "Wine 8: a reset is told as a close, if nobody receives when it comes")]
        async_select: AsyncSelect,
        #[cfg_attr(windows, ignore = "Wine 8: a reset is told as a close, if nobody receives when it comes")]
        event_select: EventSelect,
        overlapped_event: OverlappedEvent,
        overlapped_routine: OverlappedRoutine,
        completion_port: CompletionPort,
    }
    endings::sessions_open_and_close_once_over_1000_connects_and_resets: {
        thread_per_client: ThreadPerClient,
        select: Select,
        #[cfg_attr(windows, ignore = "Wine 8: of a socket that was reset before WSAAsyncSelect no message comes")]
        async_select: AsyncSelect,
        event_select: EventSelect,
        overlapped_event: OverlappedEvent,
        overlapped_routine: OverlappedRoutine,
        completion_port: CompletionPort,
    }
    endings::a_client_killed_in_mid_message_harms_no_other: {
        thread_per_client: ThreadPerClient,
        select: Select,
        #[cfg_attr(windows, ignore = "Wine 8: of a socket that was reset before WSAAsyncSelect no message comes")]
        async_select: AsyncSelect,
        event_select: EventSelect,
        overlapped_event: OverlappedEvent,
        overlapped_routine: OverlappedRoutine,
        completion_port: CompletionPort,
    }
}
