// SPDX-License-Identifier: MIT
// mlp_softmax_reciprocal - divides scores by their total through a reciprocal table
//
//     quotient = (score * R[top 8 bits of total behind its leading one]) >> (leading + 8)
//
// where R[i] = floor(255 * 2^16 / (257 + i)): never above 255 * score / total, and for a score of
// at most half the total, as a loser's is, at most 1 below the floor of it.
//
// Golden model   model/reference.py: quotients; model/tables.py: reciprocal
// Stream         in: a vector a beat; out: N/LANES beats of LANES quotients, last on the final one
// Latency        5 cycles to the first beat, a beat per cycle, vectors back to back
//
//     cycle   0               1            2        3              4
//             leading one     read table   serve    multiply       shift

`default_nettype none

module mlp_softmax_reciprocal #(
    parameter N          = 3,           // classes, 2 .. 64
    parameter LANES      = 1,           // classes per cycle, divides N
    parameter SCORE_W    = 15,          // unsigned score width
    parameter TOTAL_W    = 17,          // unsigned width of the total, 9 .. 48
    parameter RECIPROCAL = ""           // image: 256 words of 16 bits
) (
    input  wire                 clk,
    input  wire                 rst,    // synchronous, active high

    input  wire                 in_valid,
    output wire                 in_ready,
    input  wire [N*SCORE_W-1:0] in_scores,
    input  wire [TOTAL_W-1:0]   in_total,   // above zero
    input  wire [$clog2(N)-1:0] in_class,

    output wire                 out_valid,
    input  wire                 out_ready,
    output wire                 out_last,
    output reg  [LANES*8-1:0]   out_quotients,
    output wire [$clog2(N)-1:0] out_class
);

    localparam ADDR_W    = 8;
    localparam R_W       = 16;
    localparam CLASS_W   = $clog2(N);
    localparam ZEROS_W   = $clog2(TOTAL_W);
    localparam PRODUCT_W = SCORE_W + R_W;
    localparam SHIFT_W   = $clog2(TOTAL_W + ADDR_W);

    localparam MOST_SHIFT = TOTAL_W - 1 + ADDR_W;

    // What the vector's total is worth, while its scores wait beside.
    wire                 read_valid;
    wire                 read_ready;
    wire [R_W-1:0]       read_reciprocal;
    wire [ZEROS_W-1:0]   read_zeros;
    wire [N*SCORE_W-1:0] read_scores;
    wire [CLASS_W-1:0]   read_class;

    wire [TOTAL_W-1:0] found_total;     // with its leading one at the top
    wire [ZEROS_W-1:0] found_zeros;     // by so many bits

    wire advance = !read_valid || read_ready;

    assign in_ready = advance;

    mlp_leading_one #(.W(TOTAL_W)) u_leading_one (
        .clk(clk), .en(advance), .in_x(in_total), .out_y(found_total), .out_zeros(found_zeros)
    );

    mlp_rom #(.WIDTH(R_W), .DEPTH(1 << ADDR_W), .FILE(RECIPROCAL)) u_reciprocal (
        .clk(clk), .en(advance),
        .addr(found_total[TOTAL_W-2 -: ADDR_W]), .data(read_reciprocal)
    );

    mlp_delay #(.W(ZEROS_W), .CYCLES(1)) u_zeros (
        .clk(clk), .rst(1'b0), .en(advance), .in_data(found_zeros), .out_data(read_zeros)
    );

    mlp_delay #(.W(1), .CYCLES(2)) u_read_valid (
        .clk(clk), .rst(rst), .en(advance), .in_data(in_valid), .out_data(read_valid)
    );

    mlp_delay #(.W(N*SCORE_W + CLASS_W), .CYCLES(2)) u_scores (
        .clk(clk), .rst(1'b0), .en(advance),
        .in_data({in_scores, in_class}), .out_data({read_scores, read_class})
    );

    // The address leaves out the leading one and what is far below it.
    wire unused = &{1'b0, found_total};

    // Serve the scores beat by beat, beside what their vector has in common.
    wire                     served_valid;
    wire                     beat_last;
    wire [LANES*SCORE_W-1:0] beat;
    wire [R_W-1:0]           reciprocal;
    wire [ZEROS_W-1:0]       zeros;
    wire [CLASS_W-1:0]       winner;

    wire move = !out_valid || out_ready;

    mlp_stream_unpack #(.N(N), .LANES(LANES), .W(SCORE_W), .TAG_W(R_W + ZEROS_W + CLASS_W)) u_serve (
        .clk(clk), .rst(rst),
        .in_valid(read_valid), .in_ready(read_ready), .in_x(read_scores),
        .in_tag({read_reciprocal, read_zeros, read_class}),
        .out_valid(served_valid), .out_ready(move), .out_last(beat_last), .out_lanes(beat),
        .out_tag({reciprocal, zeros, winner})
    );

    wire [SHIFT_W-1:0] shift = MOST_SHIFT[SHIFT_W-1:0] - {{(SHIFT_W-ZEROS_W){1'b0}}, zeros};
    wire [SHIFT_W-1:0] product_shift;

    mlp_delay #(.W(1), .CYCLES(2)) u_valid (
        .clk(clk), .rst(rst), .en(move), .in_data(served_valid), .out_data(out_valid)
    );

    mlp_delay #(.W(1 + CLASS_W), .CYCLES(2)) u_tag (
        .clk(clk), .rst(1'b0), .en(move),
        .in_data({beat_last, winner}), .out_data({out_last, out_class})
    );

    mlp_delay #(.W(SHIFT_W), .CYCLES(1)) u_shift (
        .clk(clk), .rst(1'b0), .en(move), .in_data(shift), .out_data(product_shift)
    );

    genvar k;
    generate
        for (k = 0; k < LANES; k = k + 1) begin : g_lane
            reg  [PRODUCT_W-1:0] product;
            wire [PRODUCT_W-9:0] high_unused;       // a quotient is at most 255
            wire [7:0]           quotient;

            assign {high_unused, quotient} = product >> product_shift;

            always @(posedge clk) begin
                if (move) begin
                    product <= {{R_W{1'b0}}, beat[k*SCORE_W +: SCORE_W]} * {{SCORE_W{1'b0}}, reciprocal};
                    out_quotients[k*8 +: 8] <= quotient;
                end
            end
        end
    endgenerate

    initial begin
        if (TOTAL_W < ADDR_W + 1 || TOTAL_W > 48) begin
            $display("%m: TOTAL_W=%0d: need 9 .. 48", TOTAL_W);
            $finish;
        end
    end

endmodule

`default_nettype wire
