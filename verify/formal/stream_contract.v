// SPDX-License-Identifier: MIT
// stream_contract - what a module owes between its two streams, for a solver to refute
//
// Inputs, stalls and resets are free in every cycle. A vector is whatever the module makes one
// result of: it is taken in one beat or more, and given in GIVES beats. Beats owed are counted
// from one reset to the next. The solver picks a vector whenever it likes, and that one's result
// is held against `promised`: what the formula makes of it, known in the cycle of its last beat.

`default_nettype none

module stream_contract #(
    parameter W        = 8,                 // bits of a beat given
    parameter GIVES    = 1,                 // beats given for a vector
    parameter CAPACITY = 2,                 // vectors that fit into the module
    parameter PATIENCE = 2,                 // cycles that a beat may take while nobody stalls it
    parameter PASSES   = 0                  // 1: a beat may be given in the cycle that takes it
) (
    input wire               clk,
    input wire               rst,

    input wire               in_valid,
    input wire               in_ready,
    input wire               in_first,      // the beat begins a vector
    input wire               in_last,       // the beat ends it
    input wire               in_good,       // and it has a result
    input wire [GIVES*W-1:0] promised,

    input wire               out_valid,
    input wire               out_ready,
    input wire [W-1:0]       out_payload
);

    localparam COUNT_W = $clog2((CAPACITY + 1)*GIVES + 1);
    localparam WAIT_W  = $clog2(PATIENCE + 2);

    (* anyseq *) wire picks;

    wire take = in_valid && in_ready;
    wire give = out_valid && out_ready;
    wire good = take && in_last && in_good;

    reg               started = 1'b0;
    reg               stalled;
    reg [W-1:0]       previous;
    reg [COUNT_W-1:0] owed;                 // beats
    reg [WAIT_W-1:0]  late;                 // cycles in which a beat is owed and none is offered
    reg [WAIT_W-1:0]  waiting;              // cycles in which a beat is refused and none is stalled

    reg               gathering;            // the picked vector is being taken
    reg               following;            // its result is owed
    reg [COUNT_W-1:0] ahead;                // beats owed previous it
    reg [COUNT_W-1:0] beat;                 // beats given of it
    reg [GIVES*W-1:0] rest;                 // of its result, the next beat in the low bits

    wire picked = take && in_first && picks && !following && !gathering;
    wire ours   = following && ahead == 0;
    wire passes = PASSES != 0 && good && owed == 0 && out_valid;

    always @(posedge clk) begin
        started <= 1'b1;
        previous  <= out_payload;
        stalled <= out_valid && !out_ready && !rst;
        if (rst) begin
            owed      <= 0;
            late      <= 0;
            waiting   <= 0;
            gathering <= 1'b0;
            following <= 1'b0;
        end else begin
            owed    <= owed + (good ? GIVES : 0) - give;
            late    <= owed != 0 && !out_valid ? late + 1'b1 : 0;
            waiting <= in_valid && !in_ready && (out_ready || !out_valid) ? waiting + 1'b1 : 0;

            if (picked || gathering)
                gathering <= !(take && in_last);
            if (good && (picked || gathering) && !(passes && give)) begin
                following <= 1'b1;
                ahead     <= owed - give;
                beat      <= 0;
                rest      <= promised;
            end else if (give && ours) begin
                following <= beat != GIVES - 1;
                beat      <= beat + 1'b1;
                rest      <= rest >> W;
            end else if (give && following) begin
                ahead     <= ahead - 1'b1;
            end
        end
    end

    always @(posedge clk) begin
        if (!started) begin
            assume (rst);
        end else begin
            if (stalled)
                stable_while_stalled: assert (out_valid && out_payload == previous);
            if (out_valid)
                nothing_is_invented: assert (owed != 0 || passes);
            if (passes || (out_valid && ours))
                each_result_in_order: assert (out_payload == (passes ? promised : rest[W-1:0]));
            nothing_is_lost: assert (late <= PATIENCE);
            nobody_waits_forever: assert (waiting <= PATIENCE);
            no_more_than_fits: assert (owed <= CAPACITY*GIVES);
        end
    end

endmodule

`default_nettype wire
