// SPDX-License-Identifier: MIT
// mlp_vector - keeps the inputs of a layer, and gives SIMD of them a cycle, for each group of outputs
//
//     beat c = the SIMD values from (c % (N/SIMD))*SIMD on, and its place as mlp_fold counts it
//
// Golden model   numpy.reshape, numpy.tile
// Stream         in: N/LANES beats, last on the final one; out: (N/SIMD)*GROUPS beats
// Latency        1 cycle to the first beat, 2 where LANES < N; a beat per cycle, vectors back to back
//
// A vector that comes in one beat turns in a register by SIMD values a cycle: after N/SIMD cycles it
// is back in place for the next group. One that comes in several is kept in a memory, of which one
// half is written while the other is read; there it is dropped whole where its last comes early or
// late. A value is read on its way to the output, a cycle before its beat.

`default_nettype none

module mlp_vector #(
    parameter N      = 4,               // values of a vector, 1 or more
    parameter LANES  = 4,               // values of a beat: all N, or fewer that divide SIMD
    parameter SIMD   = 2,               // values a cycle, divides N
    parameter GROUPS = 2,               // groups of outputs, 1 or more
    parameter W      = 8                // bits of a value
) (
    input  wire               clk,
    input  wire               rst,      // synchronous, active high

    input  wire               in_valid,
    output wire               in_ready,
    input  wire               in_last,
    input  wire [LANES*W-1:0] in_lanes,

    output wire                                                          out_valid,
    input  wire                                                          out_ready,
    output wire                                                          out_first_step,
    output wire                                                          out_last_step,
    output wire                                                          out_last_group,
    output wire [(GROUPS > 1 ? $clog2(GROUPS) : 1)-1:0]                  out_group,
    output wire [(N/SIMD*GROUPS > 1 ? $clog2(N/SIMD*GROUPS) : 1)-1:0]    out_cycle,
    output wire [SIMD*W-1:0]                                             out_x
);

    localparam STEPS = N / SIMD;

    wire vector_valid;
    wire vector_ready;                  // the next vector can begin

    mlp_fold #(.STEPS(STEPS), .GROUPS(GROUPS)) u_fold (
        .clk(clk), .rst(rst),
        .in_valid(vector_valid), .in_ready(vector_ready),
        .out_valid(out_valid), .out_ready(out_ready),
        .out_first_step(out_first_step), .out_last_step(out_last_step),
        .out_last_group(out_last_group), .out_group(out_group), .out_cycle(out_cycle)
    );

    generate
        if (LANES == N) begin : g_turn
            reg [N*W-1:0] x;

            always @(posedge clk) begin
                if (vector_ready)
                    x <= in_lanes;
                else if (out_ready)
                    x <= (x >> (SIMD*W)) | (x << ((N-SIMD)*W));
            end

            assign vector_valid = in_valid;
            assign in_ready     = vector_ready;
            assign out_x        = x[SIMD*W-1:0];

            wire unused = in_last;
        end else begin : g_memory
            localparam PARTS   = SIMD > LANES ? SIMD / LANES : 1;   // beats of a word
            localparam ADDR_W  = STEPS > 1 ? $clog2(STEPS) : 1;
            localparam COUNT_W = STEPS > 1 ? $clog2(STEPS + 1) : 1;

            localparam [PARTS-1:0] FIRST = 1;

            reg [SIMD*W-1:0]  words [0:(2 << ADDR_W)-1];
            reg [SIMD*W-1:0]  x;
            reg               half;         // the one that is read
            reg               full;         // the other one holds a vector
            reg [COUNT_W-1:0] count;        // words taken of this vector; STEPS stands for too many
            reg [PARTS-1:0]   part;         // place of the next beat in its word
            reg [ADDR_W-1:0]  next;

            wire take     = in_valid && in_ready;
            wire swap     = full && vector_ready;
            wire complete = count == STEPS[COUNT_W-1:0] - 1'b1 && part[PARTS-1];
            wire too_long = count == STEPS[COUNT_W-1:0];

            wire [ADDR_W-1:0] addr = vector_ready ? {ADDR_W{1'b0}} : next;

            assign vector_valid = full;
            assign in_ready     = !full || vector_ready;
            assign out_x        = x;

            always @(posedge clk) begin
                if (rst) begin
                    count <= {COUNT_W{1'b0}};
                    part  <= FIRST;
                end else if (take) begin
                    count <= in_last ? {COUNT_W{1'b0}} : too_long || !part[PARTS-1] ? count : count + 1'b1;
                    part  <= in_last || part[PARTS-1] ? FIRST : part << 1;
                end
            end

            always @(posedge clk) begin
                if (rst) begin
                    full <= 1'b0;
                    half <= 1'b0;
                end else begin
                    full <= in_ready ? take && in_last && complete : full;
                    half <= half ^ swap;
                end
            end

            // A beat that comes while the halves change goes where the last vector was: no word is
            // written in the cycle that reads it.
            genvar k;
            for (k = 0; k < PARTS; k = k + 1) begin : g_part
                always @(posedge clk) begin
                    if (take && part[k])
                        words[{half ^ !full, count[ADDR_W-1:0]}][k*LANES*W +: LANES*W] <= in_lanes;
                end
            end

            always @(posedge clk) begin
                if (vector_ready || out_ready) begin
                    x    <= words[{half ^ swap, addr}];
                    next <= addr == STEPS[ADDR_W-1:0] - 1'b1 ? {ADDR_W{1'b0}} : addr + 1'b1;
                end
            end
        end
    endgenerate

    initial begin
        if (N < 1 || GROUPS < 1 || SIMD < 1 || STEPS*SIMD != N || LANES < 1 || (
            LANES != N && SIMD/LANES*LANES != SIMD)) begin
            $display("%m: N=%0d LANES=%0d SIMD=%0d GROUPS=%0d: SIMD must divide N, and LANES be N or divide SIMD",
                     N, LANES, SIMD, GROUPS);
            $finish;
        end
    end

endmodule

`default_nettype wire
