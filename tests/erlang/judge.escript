#!/usr/bin/env escript
%%! +S 1:1 +SDcpu 1:1 +A 1
%% SPDX-License-Identifier: Apache-2.0
%% Erlang/OTP's megaco as a judge of our codec, over the generated corpus.
%%   judge.escript CORPUS-TOOL compact|pretty|ber default|flex|native < NUMBERS
%% For each message of the numbers, one a line: it decodes what we encode (a term), encodes that, we decode it and encode it again, it decodes
%% that: the same term? A line for each message on standard output, number and
%%   ok          all of it
%%   edited      the same term, but megaco wrote another message than ours: quotes left out, lines ended otherwise
%%   refused     megaco does not decode what we encode
%%   unencoded   megaco does not encode its own term
%%   unread      we do not decode what megaco encodes
%%   other       megaco reads another term in the end, or none
-mode(compile).

main([Tool, Form, Scanner]) ->
    process_flag(trap_exit, true),
    Port = open_port({spawn_executable, Tool}, [{args, ["peer"]}, {packet, 4}, binary]),
    {Codec, Number} = codec(Form),
    Judge = {Port, Codec, Number, conf(Scanner)},
    {ok, Words} = read_all([]),
    lists:foreach(fun(N) -> judge(Judge, list_to_integer(N)) end, string:lexemes(Words, "\n ")),
    port_close(Port);
main(_) ->
    io:format(standard_error, "judge.escript TOOL compact|pretty|ber default|flex|native < NUMBERS~n", []),
    halt(2).

read_all(Lines) ->
    case io:get_line("") of
        eof -> {ok, lists:append(lists:reverse(Lines))};
        Line -> read_all([Line | Lines])
    end.

codec("compact") -> {megaco_compact_text_encoder, 0};
codec("pretty") -> {megaco_pretty_text_encoder, 1};
codec("ber") -> {megaco_ber_encoder, 2}.

conf("default") -> [];
conf("native") -> [native];
conf("flex") ->
    {ok, Ports} = megaco_flex_scanner:start(),
    [{flex, Ports}].

ask(Port, Frame) ->
    port_command(Port, Frame),
    receive
        {Port, {data, Data}} -> Data;
        {'EXIT', Port, Why} -> io:format("gone ~p~n", [Why]), halt(1)
    after 60000 -> io:format("silent~n"), halt(1)
    end.

%% The binary codec is to be told the version, which it does not look for: message N is of version 1 + N rem 3.
decode(Codec, Conf, N, Octets) ->
    Version = case Codec of
                  megaco_ber_encoder -> 1 + N rem 3;
                  _ -> dynamic
              end,
    try Codec:decode_message(Conf, Version, Octets) of
        {ok, Term} -> {ok, Term};
        {error, Why} -> {error, Why}
    catch
        _:Why -> {error, Why}
    end.

encode(Codec, Conf, {_, _, {_, Version, _, _}} = Term) ->
    try Codec:encode_message(Conf, Version, Term) of
        {ok, Octets} -> {ok, iolist_to_binary(Octets)};
        {error, Why} -> {error, Why}
    catch
        _:Why -> {error, Why}
    end.

judge({Port, Codec, Form, Conf}, N) ->
    Ours = ask(Port, <<$g, Form, N:32>>),
    Result = case decode(Codec, Conf, N, Ours) of
                 {error, Why} -> {refused, Why};
                 {ok, Term} -> back(Port, Codec, Form, Conf, N, Term)
             end,
    tell(N, Result).

back(Port, Codec, Form, Conf, N, Term) ->
    case encode(Codec, Conf, Term) of
        {error, Why} -> {unencoded, Why};
        {ok, Theirs} ->
            case ask(Port, <<$c, Form, N:32, Theirs/binary>>) of
                <<$!, Why/binary>> -> {unread, {Why, Theirs}};
                <<Same, Again/binary>> -> last(Same, decode(Codec, Conf, N, Again), Term, {Theirs, Again})
            end
    end.

last($=, {ok, Term}, Term, _) -> ok;
last($#, {ok, Term}, Term, _) -> edited;
last(_, {ok, _}, _, Texts) -> {other, Texts};
last(_, {error, Why}, _, Texts) -> {other, {Texts, Why}}.

tell(N, What) when is_atom(What) -> io:format("~b ~s~n", [N, What]);
tell(N, {What, Why}) ->
    Words = lists:flatten(io_lib:format("~0p", [Why])),
    io:format("~b ~s ~s~n", [N, What, string:slice(Words, 0, 900)]).
