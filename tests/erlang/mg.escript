#!/usr/bin/env escript
%%! +S 1:1 +SDcpu 1:1 +A 1
%% SPDX-License-Identifier: Apache-2.0
%% A media gateway on Erlang/OTP's megaco: registers with a controller, answers AuditValue and Add with the
%% TerminationIDs asked for, sends one Notify when it is told to watch for something, and ends when its context does.
%%   mg.escript udp|tcp CONTROLLER-PORT compact|pretty|ber
-module(mg).
-mode(compile).
-export([main/1, handle_connect/2, handle_connect/3, handle_disconnect/3, handle_syntax_error/3, handle_syntax_error/4,
         handle_message_error/3, handle_message_error/4, handle_trans_request/3, handle_trans_request/4,
         handle_trans_reply/4, handle_trans_reply/5, handle_trans_ack/4, handle_trans_ack/5,
         handle_unexpected_trans/3, handle_unexpected_trans/4, handle_trans_request_abort/4,
         handle_trans_request_abort/5]).

-define(NONE, asn1_NOVALUE).

main([Transport, To, Form]) ->
    register(driver, self()),
    {Codec, Config} = codec(Form),
    persistent_term:put(form, Form),
    Mid = {deviceName, "mg/1"},
    ok = megaco:start(),
    ok = megaco:start_user(Mid, [{user_mod, ?MODULE}, {encoding_mod, Codec}, {encoding_config, Config},
                                 {send_mod, module(Transport)}]),
    {Send, Control} = open(Transport, list_to_integer(To), megaco:user_info(Mid, receive_handle)),
    {ok, First} = megaco:connect(megaco:user_info(Mid, receive_handle), preliminary_mid, Send, Control),
    {ok, Replies} = call(First, {serviceChangeReq, {'ServiceChangeRequest', [root()], register_parm()}}),
    [{'ActionReply', 0, _, _, [{serviceChangeReply, {_, _, {serviceChangeResParms, _}}}]}] = Replies,
    io:format("registered~n"),
    [Conn | _] = megaco:user_info(Mid, connections), % it knows the controller's mId by now
    wait(Conn).

wait(Conn) ->
    receive
        {watch, Term, Id, Event} ->
            {ok, [{'ActionReply', 5, _, _, [{notifyReply, _}]}]} =
                call(Conn, {notifyReq, {'NotifyRequest', [Term], {'ObservedEventsDescriptor', Id, [observed(Event)]}, ?NONE}}),
            io:format("notified~n"),
            wait(Conn);
        subtracted -> timer:sleep(100), halt(0) % its reply is still to go out
    after 20000 -> io:format("silence~n"), halt(1)
    end.

codec("compact") -> {megaco_compact_text_encoder, []};
codec("pretty") -> {megaco_pretty_text_encoder, []};
codec("ber") -> {megaco_ber_encoder, [native]}.

module("udp") -> megaco_udp;
module("tcp") -> megaco_tcp.

open("udp", To, Handle) ->
    {ok, Sup} = megaco_udp:start_transport(),
    {ok, Socket, Control} = megaco_udp:open(Sup, [{port, 0}, {receive_handle, Handle}]),
    {megaco_udp:create_send_handle(Socket, {127, 0, 0, 1}, To), Control};
open("tcp", To, Handle) ->
    {ok, Sup} = megaco_tcp:start_transport(),
    {ok, Send, Control} = megaco_tcp:connect(Sup, [{host, {127, 0, 0, 1}}, {port, To}, {receive_handle, Handle}]),
    {Send, Control}.

call(Conn, Command) ->
    Context = case Command of {notifyReq, _} -> 5; _ -> 0 end,
    Action = {'ActionRequest', Context, ?NONE, ?NONE, [{'CommandRequest', Command, ?NONE, ?NONE}]},
    {_, Reply} = megaco:call(Conn, [Action], [{request_timer, 5000}]),
    Reply.

%% Names are octets in the native terms of the binary form.
root() ->
    case persistent_term:get(form) of
        "ber" -> {'TerminationID', [], [255, 255, 255, 255, 255, 255, 255, 255]};
        _ -> {megaco_term_id, false, ["root"]}
    end.

register_parm() ->
    Reason = case persistent_term:get(form) of
                 "ber" -> [[22, 13 | "901 Cold Boot"]]; % an IA5String in the octets (Annex A)
                 _ -> ["901 Cold Boot"]
             end,
    {'ServiceChangeParm', restart, ?NONE, 1, ?NONE, Reason, ?NONE, ?NONE, ?NONE, ?NONE}.

observed(Event) -> {'ObservedEvent', Event, ?NONE, [], ?NONE}.

handle_trans_request(_, _, Actions) -> {discard_ack, [answer(A) || A <- Actions]}.
handle_trans_request(Conn, Version, Actions, _) -> handle_trans_request(Conn, Version, Actions).

%% CHOOSE becomes context 5; TerminationIDs are those asked for.
answer(Action) ->
    Context = case element(2, Action) of 16#FFFFFFFE -> 5; Id -> Id end,
    {'ActionReply', Context, ?NONE, ?NONE, [reply(element(2, Command)) || Command <- element(5, Action)]}.

reply({addReq, Request}) ->
    [Term | _] = element(2, Request),
    _ = [driver ! {watch, Term, Id, element(2, Event)} ||
            {eventsDescriptor, {'EventsDescriptor', Id, [Event | _]}} <- element(3, Request)],
    {addReply, {'AmmsReply', [Term], ?NONE}};
reply({auditValueRequest, Request}) ->
    {auditValueReply, {auditResult, {'AuditResult', element(2, Request), []}}};
reply({subtractReq, Request}) ->
    driver ! subtracted,
    {subtractReply, {'AmmsReply', element(2, Request), ?NONE}}.

handle_connect(_, _) -> ok.
handle_connect(_, _, _) -> ok.
handle_disconnect(_, _, _) -> ok.
handle_syntax_error(_, _, Why) -> io:format("syntax error ~0p~n", [Why]), reply.
handle_syntax_error(Handle, Version, Why, _) -> handle_syntax_error(Handle, Version, Why).
handle_message_error(_, _, Why) -> io:format("message error ~0p~n", [Why]), no_reply.
handle_message_error(Conn, Version, Why, _) -> handle_message_error(Conn, Version, Why).
handle_trans_reply(_, _, _, _) -> ok.
handle_trans_reply(_, _, _, _, _) -> ok.
handle_trans_ack(_, _, _, _) -> ok.
handle_trans_ack(_, _, _, _, _) -> ok.
handle_unexpected_trans(_, _, _) -> ok.
handle_unexpected_trans(_, _, _, _) -> ok.
handle_trans_request_abort(_, _, _, _) -> ok.
handle_trans_request_abort(_, _, _, _, _) -> ok.
