#!/usr/bin/env escript
%%! +S 1:1 +SDcpu 1:1 +A 1
%% SPDX-License-Identifier: Apache-2.0
%% Erlang/OTP's megaco, decoding and encoding H.248 messages in one form: text with its flex scanner, binary in native
%% terms, which is the less work for it.
%%   megaco.escript compact|pretty|ber SECONDS FILE NUMBERS
%% FILE as for bench_codec. The numbers of the messages that it both decodes and encodes go to NUMBERS; those are
%% measured. One line of JSON. Processor time, not wall clock, counts, as in codec.c.
-mode(compile).

main([Form, Seconds, File, Numbers]) ->
    {Codec, Conf} = codec(Form),
    {ok, All} = file:read_file(File),
    Records = records(All, []),
    Usable = [{N, V, O, T} || {N, O} <- Records, {V, T} <- decoded(Codec, Conf, O), encodes(Codec, Conf, V, T)],
    ok = file:write_file(Numbers, [[integer_to_list(N), "\n"] || {N, _, _, _} <- Usable]),
    Limit = list_to_integer(Seconds) * 1000,
    Decode = rate([{V, O} || {_, V, O, _} <- Usable],
                  fun({V, O}) -> {ok, _} = Codec:decode_message(Conf, V, O) end, Limit),
    Encode = rate([{real(V, T), T} || {_, V, _, T} <- Usable],
                  fun({V, T}) -> {ok, _} = Codec:encode_message(Conf, V, T) end, Limit),
    io:format("{\"files\":~b,\"usable\":~b,\"decode\":~.1f,\"encode\":~.1f}~n",
              [length(Records), length(Usable), Decode, Encode]);
main(_) ->
    io:format(standard_error, "megaco.escript compact|pretty|ber SECONDS FILE NUMBERS~n", []),
    halt(2).

codec("ber") -> {megaco_ber_encoder, [native]};
codec(Form) ->
    {ok, Ports} = megaco_flex_scanner:start(),
    {list_to_atom("megaco_" ++ Form ++ "_text_encoder"), [{flex, Ports}]}.

records(<<N:32, L:32, Octets:L/binary, Rest/binary>>, Done) -> records(Rest, [{N, Octets} | Done]);
records(<<>>, Done) -> lists:reverse(Done).

%% The binary decoder has to be told the version: the one that the message names.
decoded(megaco_ber_encoder = Codec, Conf, Octets) ->
    first([{V, try Codec:decode_message(Conf, V, Octets) catch _:_ -> error end} || V <- [3, 2, 1]]);
decoded(Codec, Conf, Octets) ->
    first([{dynamic, try Codec:decode_message(Conf, dynamic, Octets) catch _:_ -> error end}]).

first([{V, {ok, {_, _, {_, V, _, _}} = Term}} | _]) -> [{V, Term}];
first([{dynamic, {ok, Term}} | _]) -> [{dynamic, Term}];
first([_ | Rest]) -> first(Rest);
first([]) -> [].

real(dynamic, {_, _, {_, V, _, _}}) -> V;
real(V, _) -> V.

encodes(Codec, Conf, V, Term) ->
    try Codec:encode_message(Conf, real(V, Term), Term) of
        {ok, _} -> true;
        _ -> false
    catch
        _:_ -> false
    end.

%% Operations a second, after one pass to warm up. To be fair: a process of its own with a heap that it need not grow,
%% and the items where no garbage collection looks at them.
rate(Items, Fun, Limit) ->
    persistent_term:put(items, Items),
    {_, Ref} = spawn_opt(fun() ->
                                 All = persistent_term:get(items),
                                 lists:foreach(Fun, All),
                                 {Begin, _} = statistics(runtime),
                                 exit({rate, passes(All, Fun, Begin, Limit, 0)})
                         end, [monitor, {min_heap_size, 4000000}]),
    receive {'DOWN', Ref, process, _, {rate, Rate}} -> Rate end.

passes(Items, Fun, Begin, Limit, Count) ->
    Times = 1 + 2000 div length(Items),
    lists:foreach(fun(_) -> lists:foreach(Fun, Items) end, lists:seq(1, Times)),
    {Now, _} = statistics(runtime),
    Total = Count + Times * length(Items),
    case Now - Begin of
        Spent when Spent >= Limit -> Total * 1000 / Spent;
        _ -> passes(Items, Fun, Begin, Limit, Total)
    end.
