// SPDX-License-Identifier: MIT
// mlp_softmax_sum - gathers a vector's scores, their sum, and the winner
//
//     total = sum of scores              class = the lowest index with the largest score
//
// Golden model   model/reference.py: winner, numpy.sum
// Stream         in: N/LANES beats of LANES scores, last on the final one; out: a vector a beat
// Latency        ceil(log2(LANES)) + 1 cycles from the last beat, a beat per cycle

`default_nettype none

module mlp_softmax_sum #(
    parameter N       = 3,              // classes, 2 .. 64
    parameter LANES   = 1,              // classes per cycle, divides N
    parameter SCORE_W = 15,             // unsigned score width
    parameter TOTAL_W = 17              // unsigned width of their sum, SCORE_W or more
) (
    input  wire                     clk,
    input  wire                     rst,    // synchronous, active high

    input  wire                     in_valid,
    output wire                     in_ready,
    input  wire                     in_last,
    input  wire [LANES*SCORE_W-1:0] in_scores,

    output wire                     out_valid,
    input  wire                     out_ready,
    output wire [N*SCORE_W-1:0]     out_scores,
    output reg  [TOTAL_W-1:0]       out_total,
    output reg  [$clog2(N)-1:0]     out_class
);

    localparam CLASS_W = $clog2(N);
    localparam LEVELS  = $clog2(LANES);

    wire move;                          // of everything, as the gathered vector lets it

    assign in_ready = move;

    // The lanes of one beat: their sum and their winner, while the scores wait beside.
    wire [LANES*TOTAL_W-1:0] extended;
    wire [TOTAL_W-1:0]       sum;
    wire [SCORE_W-1:0]       max;
    wire [CLASS_W-1:0]       index;
    wire                     beat_valid;
    wire                     beat_last;
    wire [LANES*SCORE_W-1:0] beat;

    genvar k;
    generate
        for (k = 0; k < LANES; k = k + 1) begin : g_lane
            assign extended[k*TOTAL_W +: TOTAL_W] =
                {{(TOTAL_W-SCORE_W){1'b0}}, in_scores[k*SCORE_W +: SCORE_W]};
        end
    endgenerate

    mlp_adder_tree #(.N(LANES), .W(TOTAL_W)) u_sum (
        .clk(clk), .en(move), .in_lanes(extended), .out_sum(sum)
    );

    mlp_argmax_tree #(.N(LANES), .W(SCORE_W), .INDEX_W(CLASS_W)) u_argmax (
        .clk(clk), .en(move), .in_lanes(in_scores), .out_max(max), .out_index(index)
    );

    mlp_delay #(.W(1), .CYCLES(LEVELS)) u_valid (
        .clk(clk), .rst(rst), .en(move), .in_data(in_valid), .out_data(beat_valid)
    );

    mlp_delay #(.W(1 + LANES*SCORE_W), .CYCLES(LEVELS)) u_scores (
        .clk(clk), .rst(1'b0), .en(move),
        .in_data({in_last, in_scores}), .out_data({beat_last, beat})
    );

    // The beats of one vector: `base` is the class of a beat's first lane.
    reg [CLASS_W-1:0] base;
    reg [SCORE_W-1:0] best;

    wire first = base == {CLASS_W{1'b0}};
    wire take  = move && beat_valid;

    always @(posedge clk) begin
        if (rst)
            base <= {CLASS_W{1'b0}};
        else if (take)
            base <= beat_last ? {CLASS_W{1'b0}} : base + LANES[CLASS_W-1:0];
    end

    always @(posedge clk) begin
        if (take)
            out_total <= first ? sum : out_total + sum;
    end

    always @(posedge clk) begin
        if (take && (first || max > best)) begin        // on a tie the earlier beat
            best      <= max;
            out_class <= base + index;
        end
    end

    mlp_stream_pack #(.N(N), .LANES(LANES), .W(SCORE_W)) u_gather (
        .clk(clk), .rst(rst),
        .in_valid(beat_valid), .in_ready(move), .in_last(beat_last), .in_lanes(beat),
        .out_valid(out_valid), .out_ready(out_ready), .out_x(out_scores)
    );

    initial begin
        if (N < 2 || N > 64 || LANES < 1 || (N / LANES) * LANES != N || TOTAL_W < SCORE_W) begin
            $display("%m: N=%0d LANES=%0d SCORE_W=%0d TOTAL_W=%0d: need N in 2 .. 64, LANES a divisor of N, TOTAL_W >= SCORE_W",
                     N, LANES, SCORE_W, TOTAL_W);
            $finish;
        end
    end

endmodule

`default_nettype wire
