// SPDX-License-Identifier: MIT
// mlp_graph - a constant matrix times a vector plus bias, as additions that outputs share
//
//     acc[n] = bias[n] + sum over i of weight[n][i] * x[i]
//
// Golden model   model/reference.py: linear; plan from model/sharing.py and model/sum_plan.py
// Stream         in: a vector a beat; out: a beat of N_OUT sums
// Throughput     a vector a cycle
// Latency        STAGES + 1 cycles
//
// The plan is a word of its sizes, {STAGES, VALUES}, then two words for each value and each output.
// The first values are the inputs; each of the others is
//
//     value = (value[A] << A_SHIFT) + (value[B] << B_SHIFT), or the difference, or value[A] alone
//
// of values before it, with a register behind it or without. An output is the value that is added
// to its bias, or subtracted.

`default_nettype none

module mlp_graph #(
    parameter N_IN   = 1,               // inputs, 1 or more
    parameter N_OUT  = 1,               // outputs, 1 or more
    parameter X_W    = 8,               // signed input width, 2 .. 16
    parameter ACC_W  = 20,              // signed sum width, X_W + 2 .. 63
    parameter WORDS  = 7,               // words of the plan, 1 + 2*(N_IN + N_OUT) or more
    parameter [32*WORDS-1:0] PLAN = 224'h0114000000000001_0d08000000000000_0108000000000000_00010002, // first word lowest
    parameter BIASES = ""               // image: a word of N_OUT biases
) (
    input  wire                   clk,
    input  wire                   rst,  // synchronous, active high

    input  wire                   in_valid,
    output wire                   in_ready,
    input  wire [N_IN*X_W-1:0]    in_x,

    output wire                   out_valid,
    input  wire                   out_ready,
    output reg  [N_OUT*ACC_W-1:0] out_acc
);

    localparam [31:0]  SIZES  = PLAN[31:0];
    localparam integer VALUES = {16'd0, SIZES[15:0]};   // inputs, and what is made of them
    localparam integer STAGES = {16'd0, SIZES[31:16]};  // registers between inputs and the last sum

    // A tool takes all of a list in hand to read an entry of it: short ones are read sooner.
    localparam SHORT = 16;
    localparam LISTS = (VALUES + SHORT - 1) / SHORT;

    wire move = !out_valid || out_ready;

    assign in_ready = move;

    mlp_delay #(.W(1), .CYCLES(STAGES + 1)) u_valid (
        .clk(clk), .rst(rst), .en(move), .in_data(in_valid), .out_data(out_valid)
    );

    genvar g, k;
    generate
        for (g = 0; g < LISTS; g = g + 1) begin : g_list
            localparam N = g + 1 < LISTS ? SHORT : VALUES - SHORT*g;
            localparam [64*N-1:0] LIST = PLAN[32 + 64*SHORT*g +: 64*N];

            for (k = 0; k < N; k = k + 1) begin : g_value
                localparam [63:0] ENTRY = LIST[64*k +: 64];
                localparam integer A       = {16'd0, ENTRY[15:0]};
                localparam integer B       = {16'd0, ENTRY[31:16]};
                localparam integer A_SHIFT = {24'd0, ENTRY[39:32]};
                localparam integer B_SHIFT = {24'd0, ENTRY[47:40]};
                localparam integer VALUE_W = {24'd0, ENTRY[55:48]};     // bits of the values that occur
                localparam SIGNED     = ENTRY[56];
                localparam MINUS      = ENTRY[57];
                localparam ALONE      = ENTRY[58];
                localparam REGISTERED = ENTRY[59];

                wire [VALUE_W-1:0] now;
                wire [ACC_W-1:0]   value;

                if (SHORT*g + k < N_IN) begin : g_input
                    assign now = in_x[(SHORT*g + k)*X_W +: VALUE_W];
                end else begin : g_sum
                    wire [VALUE_W-1:0] a = g_list[A/SHORT].g_value[A%SHORT].value[VALUE_W-1:0] << A_SHIFT;
                    wire [VALUE_W-1:0] b = g_list[B/SHORT].g_value[B%SHORT].value[VALUE_W-1:0] << B_SHIFT;
                    wire [VALUE_W-1:0] sum = ALONE ? a : MINUS ? a - b : a + b;

                    if (REGISTERED) begin : g_register
                        reg [VALUE_W-1:0] sum_q;

                        always @(posedge clk) begin
                            if (move)
                                sum_q <= sum;
                        end

                        assign now = sum_q;
                    end else begin : g_wire
                        assign now = sum;
                    end
                end

                // What reads a value takes as many bits as its own width has, and no sign where none occurs.
                wire unused = &{1'b0, value, in_x};

                assign value = {{(ACC_W-VALUE_W){SIGNED && now[VALUE_W-1]}}, now};
            end
        end
    endgenerate

    wire [N_OUT*ACC_W-1:0] bias;

    mlp_rom #(.WIDTH(N_OUT*ACC_W), .DEPTH(1), .FILE(BIASES)) u_biases (
        .clk(clk), .en(move), .addr(1'b0), .data(bias)
    );

    generate
        for (k = 0; k < N_OUT; k = k + 1) begin : g_output
            localparam [63:0] ENTRY = PLAN[32 + 64*(VALUES + k) +: 64];
            localparam integer A     = {16'd0, ENTRY[15:0]};
            localparam integer SHIFT = {24'd0, ENTRY[39:32]};
            localparam MINUS = ENTRY[57];
            localparam NONE  = ENTRY[58];       // every weight is 0

            wire [ACC_W-1:0] root = NONE ? {ACC_W{1'b0}} : g_list[A/SHORT].g_value[A%SHORT].value << SHIFT;

            always @(posedge clk) begin
                if (move) begin
                    out_acc[k*ACC_W +: ACC_W] <= MINUS ? bias[k*ACC_W +: ACC_W] - root
                                                       : bias[k*ACC_W +: ACC_W] + root;
                end
            end
        end
    endgenerate

    initial begin
        if (WORDS < 1 + 2*(N_IN + N_OUT)) begin
            $display("%m: WORDS=%0d N_IN=%0d N_OUT=%0d: need 1 + 2*(N_IN + N_OUT) words or more",
                     WORDS, N_IN, N_OUT);
            $finish;
        end
    end

endmodule

`default_nettype wire
