#!/usr/bin/env escript
%%! +S 1:1 +SDcpu 1:1 +A 1
%% SPDX-License-Identifier: Apache-2.0
%% A media gateway controller on Erlang/OTP's megaco. It waits for a gateway to register, then sets up a context of
%% two TCP streams, waits for the Notify that one is connected, changes, audits and takes down.
%%   mgc.escript udp|tcp PORT compact|pretty|ber BACKEND-PORT GATEHOUSE
%% Each step is a line on standard output: its name and what came back, in compact text.
-module(mgc).
-mode(compile).
-export([main/1, handle_connect/2, handle_connect/3, handle_disconnect/3, handle_syntax_error/3, handle_syntax_error/4,
         handle_message_error/3, handle_message_error/4, handle_trans_request/3, handle_trans_request/4,
         handle_trans_reply/4, handle_trans_reply/5, handle_trans_ack/4, handle_trans_ack/5,
         handle_unexpected_trans/3, handle_unexpected_trans/4, handle_trans_request_abort/4,
         handle_trans_request_abort/5]).

-define(NONE, asn1_NOVALUE).

main([Transport, Port, Form, Backend, Tool]) ->
    register(driver, self()),
    persistent_term:put(tool, {Form, Tool}),
    {Codec, Config} = codec(Form),
    Mid = {ip4Address, {'IP4Address', [127, 0, 0, 1], list_to_integer(Port)}},
    ok = megaco:start(),
    ok = megaco:start_user(Mid, [{user_mod, ?MODULE}, {encoding_mod, Codec}, {encoding_config, Config},
                                 {send_mod, module(Transport)}]),
    listen(Transport, list_to_integer(Port), megaco:user_info(Mid, receive_handle)),
    io:format("listening~n"),
    {Conn, _} = next(service_change),
    [Made] = call(Conn, "add", ["C=${A=${M{ST=1{O{MO=SR},L{\nv=0\nc=IN IP4 $\nm=message $ TCP/MSRP *\na=setup:active\n},"
                                "R{\nv=0\nc=IN IP4 127.0.0.1\nm=message ", Backend, " TCP/MSRP *\na=setup:passive\n}}},"
                                "E=7{tcpbcc/*},SG{tcpbcc/EstBNC}},"
                                "A=${M{ST=1{O{MO=SR},L{\nv=0\nc=IN IP4 $\nm=message $ TCP/MSRP *\na=setup:passive\n}}}}}"]),
    {_, Notify} = next(notify),
    io:format("notify ~s~n", [show({transactions, [{transactionRequest, {'TransactionRequest', 1, Notify}}]})]),
    Context = integer_to_list(element(2, Made)),
    call(Conn, "modify", ["C=", Context, "{MF=*{M{ST=1{O{MO=SO}}}}}"]),
    call(Conn, "audit", ["C=", Context, "{AV=*{AT{M,E,SA}}}"]),
    call(Conn, "root", ["C=-{AV=ROOT{AT{PG}}}"]),
    call(Conn, "subtract", ["C=", Context, "{S=*{AT{SA}}}"]),
    call(Conn, "gone", ["C=", Context, "{AV=*{AT{}}}"]),
    halt(0).

codec("compact") -> {megaco_compact_text_encoder, []};
codec("pretty") -> {megaco_pretty_text_encoder, []};
codec("ber") -> {megaco_ber_encoder, [native]}.

module("udp") -> megaco_udp;
module("tcp") -> megaco_tcp.

listen("udp", Port, Handle) ->
    {ok, Sup} = megaco_udp:start_transport(),
    {ok, _, _} = megaco_udp:open(Sup, [{port, Port}, {receive_handle, Handle}]);
listen("tcp", Port, Handle) ->
    {ok, Sup} = megaco_tcp:start_transport(),
    ok = megaco_tcp:listen(Sup, [{port, Port}, {receive_handle, Handle}]).

next(What) ->
    receive {What, Conn, Actions} -> {Conn, Actions}
    after 20000 -> io:format("no ~p~n", [What]), halt(1)
    end.

call(Conn, Name, Text) ->
    case megaco:call(Conn, actions(Text), [{request_timer, 5000}]) of
        {_, {ok, Replies}} ->
            io:format("~s ~s~n", [Name, show({transactions, [{transactionReply, {'TransactionReply', 1, ?NONE,
                                                                                 {actionReplies, Replies}}}]})]),
            Replies;
        {_, Other} -> io:format("~s failed ~0p~n", [Name, Other]), halt(1)
    end.

%% Requests are written in text here. Erlang's own way from text to binary wants a layout of TerminationIDs, so
%% for the native terms of the binary form the hand tool goes between.
actions(Text) ->
    Message = iolist_to_binary(["!/1 mgc T=1{", Text, "}"]),
    {ok, Decoded} = case persistent_term:get(tool) of
                        {"ber", _} -> megaco_ber_encoder:decode_message([native], 1, convert("ber", Message));
                        _ -> megaco_compact_text_encoder:decode_message([], dynamic, Message)
                    end,
    {_, _, {_, _, _, {transactions, [{transactionRequest, {_, _, Actions}}]}}} = Decoded,
    Actions.

show(Body) ->
    Message = {'MegacoMessage', ?NONE, {'Message', 1, {deviceName, "mg"}, Body}},
    Text = case persistent_term:get(tool) of
               {"ber", _} ->
                   {ok, Octets} = megaco_ber_encoder:encode_message([native], 1, Message),
                   convert("compact", iolist_to_binary(Octets));
               _ ->
                   {ok, Octets} = megaco_compact_text_encoder:encode_message([], 1, Message),
                   iolist_to_binary(Octets)
           end,
    re:replace(Text, "[\r\n]+", " ", [global]).

convert(To, Octets) ->
    {_, Tool} = persistent_term:get(tool),
    File = filename:join(os:getenv("TMPDIR", "/tmp"), "mgc-" ++ os:getpid()),
    ok = file:write_file(File, Octets),
    Port = open_port({spawn_executable, Tool}, [{args, ["h248", "convert", "--to", To, File]}, binary, exit_status]),
    Result = collect(Port, []),
    _ = file:delete(File), % it has been read
    Result.

collect(Port, Parts) ->
    receive
        {Port, {data, Part}} -> collect(Port, [Part | Parts]);
        {Port, {exit_status, 0}} -> iolist_to_binary(lists:reverse(Parts));
        {Port, {exit_status, Status}} -> io:format("convert: ~b~n", [Status]), halt(1)
    end.

%% What the gateway asks: registration and Notify are told to the driver and answered.
handle_trans_request(Conn, _, Actions) -> {discard_ack, [answer(Conn, Actions, A) || A <- Actions]}.
handle_trans_request(Conn, Version, Actions, _) -> handle_trans_request(Conn, Version, Actions).

answer(Conn, All, Action) ->
    {'ActionReply', element(2, Action), ?NONE, ?NONE,
     [reply(Conn, All, element(2, Command)) || Command <- element(5, Action)]}.

reply(Conn, All, {serviceChangeReq, Request}) ->
    driver ! {service_change, Conn, All},
    {serviceChangeReply, {'ServiceChangeReply', element(2, Request), {serviceChangeResParms,
                          {'ServiceChangeResParm', ?NONE, ?NONE, 1, ?NONE, ?NONE}}}};
reply(Conn, All, {notifyReq, Request}) ->
    driver ! {notify, Conn, All},
    {notifyReply, {'NotifyReply', element(2, Request), ?NONE}}.

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
