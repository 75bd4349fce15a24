#!/usr/bin/env escript
%% SPDX-License-Identifier: Apache-2.0
%% Erlang's ssl as a peer of the interop matrix: one VM for all cells, lines as cell.h tells.
-mode(compile).

-define(PATIENCE, 8000).

main(_) ->
    {ok, _} = application:ensure_all_started(ssl),
    logger:set_primary_config(level, none),
    loop().

loop() ->
    case io:get_line("") of
        eof -> ok;
        Line ->
            [What | Words] = string:lexemes(Line, " \n"),
            Cell = maps:from_list([list_to_tuple(pair(W)) || W <- Words]),
            erase(session),
            try play(What, Cell)
            catch Class:Reason -> say("failed before: ~p ~p", [Class, Reason])
            end,
            say("end", []),
            loop()
    end.

pair(Word) ->
    case string:split(Word, "=") of
        [Name, Value] -> [Name, Value];
        [Name] -> [Name, ""]
    end.

say(Format, Args) ->
    Text = lists:flatten(io_lib:format(Format, Args)),
    io:put_chars([[C || C <- Text, C =/= $\n], $\n]).

word(Name, Cell) -> maps:get(Name, Cell, "").

version("TLS1.0") -> tlsv1;
version("TLS1.1") -> 'tlsv1.1';
version("TLS1.2") -> 'tlsv1.2';
version("TLS1.3") -> 'tlsv1.3';
version("DTLS1.0") -> dtlsv1;
version("DTLS1.2") -> 'dtlsv1.2'.

%% -- settings

suites(Cell, Version) ->
    Kx = case word("way", Cell) of
             "RSA" -> [ecdhe_rsa, dhe_rsa, rsa];
             "ECDSA" -> [ecdhe_ecdsa];
             "PSK" -> [psk];
             "DHE-PSK" -> [dhe_psk];
             "ECDHE-PSK" -> [ecdhe_psk]
         end,
    ssl:filter_cipher_suites(ssl:cipher_suites(all, Version) ++ ssl:cipher_suites(anonymous, Version),
                             [{key_exchange, fun(K) -> lists:member(K, [any | Kx]) end},
                              {cipher, fun(C) -> lists:member(C, [aes_128_gcm, aes_128_cbc]) end}]).

credentials(Role, Cell) ->
    case {word("secret", Cell), word("cert", Cell)} of
        {"", ""} -> trusted(Role, Cell);
        {"", Cert} -> [{certfile, Cert}, {keyfile, word("key", Cell)} | trusted(Role, Cell)];
        {Secret, _} ->
            Key = binary:decode_hex(list_to_binary(Secret)),
            Name = word("identity", Cell),
            Lookup = fun(psk, I, K) ->
                             case Role =:= client orelse I =:= list_to_binary(Name) of
                                 true -> {ok, K};
                                 false -> error
                             end;
                        (_, _, _) -> error
                     end,
            [{psk_identity, Name} || Role =:= client] ++ [{user_lookup_fun, {Lookup, Key}}, {verify, verify_none}]
    end.

trusted(client, Cell) ->
    [{cacertfile, word("ca", Cell)}, {verify, verify_peer}, {server_name_indication, word("name", Cell)}];
trusted(server, Cell) ->
    case word("auth", Cell) of
        "1" -> [{cacertfile, word("ca", Cell)}, {verify, verify_peer}, {fail_if_no_peer_cert, true}];
        _ -> [{verify, verify_none}]
    end.

resumption(Role, Cell, Version) ->
    case {word("kind", Cell), Version, Role} of
        {"ticket", 'tlsv1.3', client} -> [{session_tickets, auto}];
        {"ticket", 'tlsv1.3', server} -> [{session_tickets, stateless}];
        {_, 'tlsv1.3', _} -> [];
        {"id", _, client} ->
            case get(session) of
                undefined -> [{reuse_sessions, save}];
                Session -> [{reuse_session, Session}]
            end;
        {"id", _, server} -> [{reuse_sessions, true}];
        _ -> [{reuse_sessions, false}]
    end.

options(Role, Cell) ->
    Version = version(word("version", Cell)),
    Dtls = lists:member(Version, [dtlsv1, 'dtlsv1.2']),
    [binary, {active, false}, {versions, [Version]}, {ciphers, suites(Cell, Version)}]
        ++ [{protocol, dtls} || Dtls]
        ++ [{secure_renegotiate, true} || Version =/= 'tlsv1.3']
        ++ [{client_renegotiation, true} || Role =:= server, Version =/= 'tlsv1.3']
        ++ [{eccs, [secp256r1]} || Version =/= 'tlsv1.3']
        ++ [{supported_groups, [secp256r1]} || Version =:= 'tlsv1.3']
        ++ credentials(Role, Cell) ++ resumption(Role, Cell, Version).

%% -- a cell

play("serve", Cell) ->
    {ok, Listener} = ssl:listen(0, [{ip, {127, 0, 0, 1}} | options(server, Cell)]),
    {ok, {_, Port}} = ssl:sockname(Listener),
    say("port ~b", [Port]),
    times(list_to_integer(word("conns", Cell)),
          fun() ->
                  connection(Cell, fun() ->
                                           {ok, Wait} = ssl:transport_accept(Listener, ?PATIENCE),
                                           ssl:handshake(Wait, ?PATIENCE)
                                   end, fun server/2)
          end),
    ssl:close(Listener);
play("connect", Cell) ->
    Ports = [P || P <- [list_to_integer(T) || T <- string:lexemes(word("port", Cell), ",")], P =/= 0],
    Conns = list_to_integer(word("conns", Cell)),
    [connection(Cell, fun() -> ssl:connect({127, 0, 0, 1}, Port, options(client, Cell), ?PATIENCE) end, fun client/2)
     || Port <- lists:sublist(Ports ++ [hd(Ports)], Conns)].

times(0, _) -> ok;
times(N, Do) -> Do(), times(N - 1, Do).

connection(Cell, Open, Talk) ->
    case Open() of
        {ok, Socket} -> up(Cell, Socket, Talk);
        {error, Why} -> say("failed the handshake: ~0p", [Why])
    end.

up(Cell, Socket, Talk) ->
    {ok, Info} = ssl:connection_information(Socket, [protocol, selected_cipher_suite, session_resumption,
                                                  session_id, session_data]),
    put(session, {proplists:get_value(session_id, Info), proplists:get_value(session_data, Info)}),
    %% Before TLS 1.3 it does not tell.
    Resumed = case {word("version", Cell), proplists:get_value(session_resumption, Info)} of
                  {"TLS1.3", true} -> "1";
                  {"TLS1.3", _} -> "0";
                  _ -> ""
              end,
    Told = io_lib:format("version=~s suite=~s resumed=~s",
                         [proplists:get_value(protocol, Info),
                          ssl:suite_to_str(proplists:get_value(selected_cipher_suite, Info)), Resumed]),
    say("up ~s", [Told]),
    try Talk(Cell, Socket) of
        Again -> say("ok ~s again=~b", [Told, Again])
    catch
        _:Why -> say("failed the talk: ~0p", [Why])
    end,
    ssl:close(Socket).

client(Cell, Socket) ->
    ok = ssl:send(Socket, "one\n"),
    {ok, <<"one\n">>} = ssl:recv(Socket, 4, ?PATIENCE),
    Again = case {word("kind", Cell), word("begins", Cell)} of
                {"again", "1"} -> again(Cell, Socket);
                {"again", _} -> {ok, <<"go\n">>} = ssl:recv(Socket, 3, ?PATIENCE), 0;
                _ -> 0
            end,
    ok = ssl:send(Socket, "two\n"),
    {ok, <<"two\n">>} = ssl:recv(Socket, 4, ?PATIENCE),
    Again.

server(Cell, Socket) ->
    {ok, One} = ssl:recv(Socket, 4, ?PATIENCE),
    ok = ssl:send(Socket, One),
    Again = case {word("kind", Cell), word("begins", Cell)} of
                {"again", "1"} -> N = again(Cell, Socket), ok = ssl:send(Socket, "go\n"), N;
                _ -> 0
            end,
    {ok, Two} = ssl:recv(Socket, 4, ?PATIENCE),
    ok = ssl:send(Socket, Two),
    %% Of a close_notify that came before it asks, a passive socket does not always hear.
    {error, _} = ssl:recv(Socket, 0, 200),
    Again.

again(Cell, Socket) ->
    case word("version", Cell) of
        "TLS1.3" -> ok = ssl:update_keys(Socket, read_write), 1;
        _ -> ok = ssl:renegotiate(Socket), 1
    end.
