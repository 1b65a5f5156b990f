// SPDX-License-Identifier: MIT
// graph_properties - mlp_graph keeps the contract of streams, and multiplies by the matrix of its plan
//
// The matrix is an image of its own: a word of N_OUT rows of N_IN weights.

`default_nettype none

module graph_properties #(
    parameter N_IN     = 2,
    parameter N_OUT    = 2,
    parameter X_W      = 2,
    parameter W_W      = 3,
    parameter ACC_W    = 6,
    parameter WORDS    = 7,
    parameter [32*WORDS-1:0] PLAN = 32'd0,
    parameter WEIGHTS  = "",
    parameter BIASES   = "",
    parameter CAPACITY = 2,
    parameter PATIENCE = 2
) (
    input wire                clk,
    input wire                rst,
    input wire                in_valid,
    input wire [N_IN*X_W-1:0] in_x,
    input wire                out_ready
);

    wire                   in_ready;
    wire                   out_valid;
    wire [N_OUT*ACC_W-1:0] out_acc;

    mlp_graph #(
        .N_IN(N_IN), .N_OUT(N_OUT), .X_W(X_W), .ACC_W(ACC_W), .WORDS(WORDS), .PLAN(PLAN),
        .BIASES(BIASES)
    ) u_dut (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready), .in_x(in_x),
        .out_valid(out_valid), .out_ready(out_ready), .out_acc(out_acc)
    );

    reg [N_OUT*N_IN*W_W-1:0] weights [0:0];
    reg [N_OUT*ACC_W-1:0]    biases  [0:0];

    initial begin
        if (WEIGHTS != "")
            $readmemh(WEIGHTS, weights);
        if (BIASES != "")
            $readmemh(BIASES, biases);
    end

    wire [N_OUT*N_IN*W_W-1:0] matrix = weights[0];
    reg  [N_OUT*ACC_W-1:0]    sums;
    reg signed [ACC_W-1:0]    acc, x, w;
    integer n, i;

    always @*
        for (n = 0; n < N_OUT; n = n + 1) begin
            acc = biases[0] >> (n * ACC_W);
            for (i = 0; i < N_IN; i = i + 1) begin
                w   = $signed(matrix[(n*N_IN + i)*W_W +: W_W]);
                x   = $signed(in_x[i*X_W +: X_W]);
                acc = acc + w * x;
            end
            sums[n*ACC_W +: ACC_W] = acc;
        end

    stream_contract #(
        .W(N_OUT*ACC_W), .GIVES(1), .CAPACITY(CAPACITY), .PATIENCE(PATIENCE)
    ) u_contract (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready),
        .in_first(1'b1), .in_last(1'b1), .in_good(1'b1), .promised(sums),
        .out_valid(out_valid), .out_ready(out_ready), .out_payload(out_acc)
    );

endmodule

`default_nettype wire
