// SPDX-License-Identifier: MIT
// mlp_watch - numbers the results of a core, and says of each block whether one is missing
//
//     lost = a block's results are not as many as its samples, a tlast is out of place, or the core
//            takes nothing more
//
// Golden model   tb/modules/guard.py: WatchPart
// Stream         sees the beats that a core takes and gives; while not `open` none may be offered to
//                it; while `lost` none may be taken from it either, and it must be reset
// Latency        0 cycles for beats, 1 to a verdict
//
// A block is up to 2^INDEX_W samples, which are numbered from 0 on; `index` is that of the result that
// is offered. It ends where no beat has moved for WAIT cycles and none waits for its taker: a sound
// core gives the next result sooner. What can no longer become right ends it at once. `done` and, where
// the results are not to be believed, `lost` are pulses of one cycle. A sample of the wrong length is
// none for the core, and none here.

`default_nettype none

module mlp_watch #(
    parameter BEATS_IN  = 4,            // beats of a sample, 1 or more
    parameter BEATS_OUT = 3,            // beats of a result, 1 or more
    parameter INDEX_W   = 8,            // bits of an index, 1 .. 16
    parameter WAIT      = 300           // cycles without a beat that end a block, 2 or more
) (
    input  wire               clk,
    input  wire               rst,      // synchronous, active high

    input  wire               in_valid, // of the core
    input  wire               in_ready,
    input  wire               in_last,
    input  wire               out_valid,
    input  wire               out_ready,
    input  wire               out_last,

    output wire               open,
    output wire [INDEX_W-1:0] index,
    output reg                done,
    output reg                lost
);

    localparam IN_W   = BEATS_IN > 1 ? $clog2(BEATS_IN + 1) : 1;
    localparam OUT_W  = BEATS_OUT > 1 ? $clog2(BEATS_OUT) : 1;
    localparam WAIT_W = WAIT > 2 ? $clog2(WAIT) : 1;

    reg [IN_W-1:0]   in_beat;           // beats taken of this sample; BEATS_IN stands for too many
    reg [OUT_W-1:0]  out_beat;          // beats given of this result
    reg [INDEX_W:0]  samples;           // of this block
    reg [INDEX_W:0]  results;
    reg [WAIT_W-1:0] quiet;             // cycles in which a beat is due and none moves
    reg              wrong;             // the beat before was none that is due

    wire take = in_valid && in_ready;
    wire give = out_valid && out_ready;

    wire complete = in_beat == BEATS_IN[IN_W-1:0] - 1'b1;
    wire too_long = in_beat == BEATS_IN[IN_W-1:0];
    wire ending   = out_beat == BEATS_OUT[OUT_W-1:0] - 1'b1;

    wire unequal = samples != results;
    wire rests   = !take && !out_valid && (in_valid || samples != {(INDEX_W+1){1'b0}});
    wire expired = rests && quiet == WAIT[WAIT_W-1:0] - 1'b1;
    wire ends    = wrong || expired;
    wire fails   = wrong || (expired && (in_valid || unequal));

    assign open  = !samples[INDEX_W] && !lost;
    assign index = results[INDEX_W-1:0];

    always @(posedge clk) begin
        if (rst || fails)
            in_beat <= {IN_W{1'b0}};
        else if (take)
            in_beat <= in_last ? {IN_W{1'b0}} : too_long ? in_beat : in_beat + 1'b1;
    end

    always @(posedge clk) begin
        if (rst || ends)
            out_beat <= {OUT_W{1'b0}};
        else if (give)
            out_beat <= out_last ? {OUT_W{1'b0}} : out_beat + 1'b1;
    end

    always @(posedge clk) begin
        if (rst || ends) begin
            samples <= {(INDEX_W+1){1'b0}};
            results <= {(INDEX_W+1){1'b0}};
            wrong   <= 1'b0;
        end else begin
            samples <= samples + {{INDEX_W{1'b0}}, take && in_last && complete};
            results <= results + {{INDEX_W{1'b0}}, give && out_last};
            wrong   <= give && (out_last != ending || !unequal);
        end
    end

    always @(posedge clk) begin
        if (rst || ends || !rests)
            quiet <= {WAIT_W{1'b0}};
        else
            quiet <= quiet + 1'b1;
    end

    always @(posedge clk) begin
        done <= ends && !rst;
        lost <= fails && !rst;
    end

    initial begin
        if (BEATS_IN < 1 || BEATS_OUT < 1 || INDEX_W < 1 || INDEX_W > 16 || WAIT < 2) begin
            $display("%m: BEATS_IN=%0d BEATS_OUT=%0d INDEX_W=%0d WAIT=%0d: need beats of 1 or more, INDEX_W 1 .. 16, WAIT 2 or more",
                     BEATS_IN, BEATS_OUT, INDEX_W, WAIT);
            $finish;
        end
    end

endmodule

`default_nettype wire
