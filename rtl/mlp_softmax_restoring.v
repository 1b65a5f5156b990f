// SPDX-License-Identifier: MIT
// mlp_softmax_restoring - divides scores by their total, bit by bit and exactly
//
//     quotient = floor(255 * score / total)
//
// by restoring shift-subtract: the remainder takes in the next bit of the dividend, and the total
// is subtracted where it fits. 255 * score is below 256 * total, so 8 steps give the quotient.
//
// Golden model   model/reference.py: exact_quotients
// Stream         in: a vector a beat; out: N/LANES beats of LANES quotients, last on the final one
// Latency        10 cycles to the first beat, a beat per cycle, vectors back to back
//
//     cycle   0        1            2 .. 9
//             serve    times 255    one quotient bit each, the highest first

`default_nettype none

module mlp_softmax_restoring #(
    parameter N       = 3,              // classes, 2 .. 64
    parameter LANES   = 1,              // classes per cycle, divides N
    parameter SCORE_W = 15,             // unsigned score width
    parameter TOTAL_W = 17              // unsigned width of the total, SCORE_W or more
) (
    input  wire                 clk,
    input  wire                 rst,    // synchronous, active high

    input  wire                 in_valid,
    output wire                 in_ready,
    input  wire [N*SCORE_W-1:0] in_scores,
    input  wire [TOTAL_W-1:0]   in_total,   // above zero, and at least each score
    input  wire [$clog2(N)-1:0] in_class,

    output wire                 out_valid,
    input  wire                 out_ready,
    output wire                 out_last,
    output wire [LANES*8-1:0]   out_quotients,
    output wire [$clog2(N)-1:0] out_class
);

    localparam CLASS_W    = $clog2(N);
    localparam BITS       = 8;
    localparam DIVIDEND_W = SCORE_W + BITS;

    wire                     beat_valid;
    wire                     beat_last;
    wire [LANES*SCORE_W-1:0] beat;
    wire [TOTAL_W-1:0]       total;
    wire [CLASS_W-1:0]       winner;

    wire move = !out_valid || out_ready;

    mlp_stream_unpack #(.N(N), .LANES(LANES), .W(SCORE_W), .TAG_W(TOTAL_W + CLASS_W)) u_serve (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready), .in_x(in_scores), .in_tag({in_total, in_class}),
        .out_valid(beat_valid), .out_ready(move), .out_last(beat_last), .out_lanes(beat),
        .out_tag({total, winner})
    );

    mlp_delay #(.W(1), .CYCLES(1 + BITS)) u_valid (
        .clk(clk), .rst(rst), .en(move), .in_data(beat_valid), .out_data(out_valid)
    );

    mlp_delay #(.W(1 + CLASS_W), .CYCLES(1 + BITS)) u_tag (
        .clk(clk), .rst(1'b0), .en(move),
        .in_data({beat_last, winner}), .out_data({out_last, out_class})
    );

    // The divisor of each step: one chain for all lanes.
    wire [TOTAL_W-1:0] divisor [0:BITS];

    genvar i, k;
    generate
        assign divisor[0] = total;

        for (i = 0; i < BITS; i = i + 1) begin : g_divisor
            reg [TOTAL_W-1:0] divisor_q;

            always @(posedge clk) begin
                if (move)
                    divisor_q <= divisor[i];
            end

            assign divisor[i+1] = divisor_q;
        end

        for (k = 0; k < LANES; k = k + 1) begin : g_lane
            wire [SCORE_W-1:0] score = beat[k*SCORE_W +: SCORE_W];

            reg [DIVIDEND_W-1:0] dividend;

            always @(posedge clk) begin
                if (move)
                    dividend <= {score, 8'd0} - {8'd0, score};
            end

            // Before step i: the remainder, below the total, and behind it the dividend's bits yet
            // to come, whose place the quotient takes from below.
            wire [TOTAL_W-1:0] remainder [0:BITS];
            wire [BITS-1:0]    rest      [0:BITS];

            assign remainder[0] = {{(TOTAL_W-SCORE_W){1'b0}}, dividend[DIVIDEND_W-1:BITS]};
            assign rest[0]      = dividend[BITS-1:0];

            for (i = 0; i < BITS; i = i + 1) begin : g_step
                wire [TOTAL_W:0] taken = {remainder[i], rest[i][BITS-1]};
                wire [TOTAL_W:0] less  = taken - {1'b0, divisor[i+1]};
                wire             fits  = !less[TOTAL_W];

                reg [TOTAL_W-1:0] remainder_q;
                reg [BITS-1:0]    rest_q;

                always @(posedge clk) begin
                    if (move) begin
                        remainder_q <= fits ? less[TOTAL_W-1:0] : taken[TOTAL_W-1:0];
                        rest_q      <= {rest[i][BITS-2:0], fits};
                    end
                end

                assign remainder[i+1] = remainder_q;
                assign rest[i+1]      = rest_q;
            end

            assign out_quotients[k*8 +: 8] = rest[BITS];

            wire unused = &{1'b0, remainder[BITS]};
        end
    endgenerate

    initial begin
        if (TOTAL_W < SCORE_W) begin
            $display("%m: TOTAL_W=%0d: need at least SCORE_W=%0d", TOTAL_W, SCORE_W);
            $finish;
        end
    end

endmodule

`default_nettype wire
