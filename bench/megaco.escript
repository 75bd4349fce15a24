#!/usr/bin/env escript
%%! +S 1:1 +SDcpu 1:1 +A 1
%% SPDX-License-Identifier: Apache-2.0
%% Erlang/OTP's megaco with its flex scanner, decoding and encoding a folder of H.248 text messages.
%%   megaco.escript compact|pretty SECONDS FOLDER
%% One line of JSON. Processor time, not wall clock, counts, as in codec.c.
-mode(compile).

main([Style, Seconds, Folder]) ->
    Codec = case Style of
                "compact" -> megaco_compact_text_encoder;
                "pretty" -> megaco_pretty_text_encoder
            end,
    {ok, Ports} = megaco_flex_scanner:start(),
    Conf = [{flex, Ports}],
    {ok, Names} = file:list_dir(Folder),
    Texts = [begin
                 {ok, Bin} = file:read_file(filename:join(Folder, N)),
                 Bin
             end || N <- lists:sort(Names)],
    Both = [{T, M} || T <- Texts, {ok, M} <- [Codec:decode_message(Conf, dynamic, T)]],
    {Known, Messages} = lists:unzip(Both),
    Limit = list_to_integer(Seconds) * 1000,
    Decode = rate(Known, fun(T) -> {ok, _} = Codec:decode_message(Conf, dynamic, T) end, Limit),
    Encodable = [M || M <- Messages, {ok, _} <- [Codec:encode_message([], 3, M)]],
    Encode = rate(Encodable, fun(M) -> {ok, _} = Codec:encode_message([], 3, M) end, Limit),
    Octets = lists:sum([byte_size(T) || T <- Known]),
    io:format("{\"files\":~b,\"decoded\":~b,\"octets\":~b,"
              "\"decode_per_s\":~.1f,\"encode_per_s\":~.1f}~n",
              [length(Texts), length(Known), Octets, Decode, Encode]);
main(_) ->
    io:format(standard_error, "megaco.escript compact|pretty SECONDS FOLDER~n", []),
    halt(2).

%% Operations a second, after one pass to warm up.
rate(Items, Fun, Limit) ->
    lists:foreach(Fun, Items),
    {Begin, _} = statistics(runtime),
    passes(Items, Fun, Begin, Limit, 0).

passes(Items, Fun, Begin, Limit, Count) ->
    lists:foreach(fun(_) -> lists:foreach(Fun, Items) end, lists:seq(1, 20)),
    {Now, _} = statistics(runtime),
    Total = Count + 20 * length(Items),
    case Now - Begin of
        Spent when Spent >= Limit -> Total * 1000 / Spent;
        _ -> passes(Items, Fun, Begin, Limit, Total)
    end.
