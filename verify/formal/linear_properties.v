// SPDX-License-Identifier: MIT
// linear_properties - mlp_linear keeps the contract of streams, and its formula on every input

`default_nettype none

module linear_properties #(
    parameter N_IN     = 2,
    parameter N_OUT    = 2,
    parameter X_W      = 2,
    parameter W_W      = 2,
    parameter ACC_W    = 6,
    parameter LANES    = 2,
    parameter SIMD     = 1,
    parameter PE       = 1,
    parameter WEIGHTS  = "",
    parameter BIASES   = "",
    parameter CAPACITY = 2,
    parameter PATIENCE = 2
) (
    input wire                clk,
    input wire                rst,
    input wire                in_valid,
    input wire                in_last,
    input wire [LANES*X_W-1:0] in_x,
    input wire                out_ready
);

    wire                in_ready;
    wire                out_valid;
    wire                out_last;
    wire [PE*ACC_W-1:0] out_acc;

    mlp_linear #(
        .N_IN(N_IN), .N_OUT(N_OUT), .X_W(X_W), .W_W(W_W), .ACC_W(ACC_W), .LANES(LANES),
        .SIMD(SIMD), .PE(PE), .WEIGHTS(WEIGHTS), .BIASES(BIASES)
    ) u_dut (
        .clk(clk), .rst(rst), .load(12'd0),
        .in_valid(in_valid), .in_ready(in_ready), .in_last(in_last), .in_x(in_x),
        .out_valid(out_valid), .out_ready(out_ready), .out_last(out_last), .out_acc(out_acc)
    );

    localparam STEPS  = N_IN / SIMD;
    localparam GROUPS = N_OUT / PE;
    localparam BEAT_W = 1 + PE*ACC_W;

    reg [PE*SIMD*W_W-1:0] weights [0:STEPS*GROUPS-1];
    reg [PE*ACC_W-1:0]    biases  [0:GROUPS-1];

    initial begin
        if (WEIGHTS != "")
            $readmemh(WEIGHTS, weights);
        if (BIASES != "")
            $readmemh(BIASES, biases);
    end

    // Beats taken of this vector, BEATS for too many; and their values, the newest on top.
    localparam BEATS = N_IN / LANES;

    reg [7:0]          taken;
    reg [N_IN*X_W-1:0] so_far;

    wire                take   = in_valid && in_ready;
    wire                last   = BEATS == 1 || in_last;
    wire [N_IN*X_W-1:0] vector = {in_x, so_far} >> (LANES*X_W);

    always @(posedge clk) begin
        if (rst)
            taken <= 0;
        else if (take)
            taken <= last ? 0 : taken == BEATS ? taken : taken + 1'b1;
        if (take)
            so_far <= vector;
    end

    // Output n = group*PE + p; input i = step*SIMD + s, whose weight is lane p*SIMD + s of a word.
    reg [GROUPS*BEAT_W-1:0] beats;
    reg signed [ACC_W-1:0]  acc, x, w;
    reg [PE*SIMD*W_W-1:0]   word;
    integer n, i, lane;

    always @*
        for (n = 0; n < N_OUT; n = n + 1) begin
            acc = biases[n / PE] >> (n % PE * ACC_W);
            for (i = 0; i < N_IN; i = i + 1) begin
                word = weights[n / PE * STEPS + i / SIMD];
                lane = n % PE * SIMD + i % SIMD;
                w    = $signed(word[lane*W_W +: W_W]);
                x    = $signed(vector[i*X_W +: X_W]);
                acc  = acc + w * x;
            end
            beats[n / PE * BEAT_W + n % PE * ACC_W +: ACC_W] = acc;
            beats[n / PE * BEAT_W + PE*ACC_W]                = n / PE == GROUPS - 1;
        end

    stream_contract #(
        .W(BEAT_W), .GIVES(GROUPS), .CAPACITY(CAPACITY), .PATIENCE(PATIENCE)
    ) u_contract (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready),
        .in_first(taken == 0), .in_last(last), .in_good(taken == BEATS - 1), .promised(beats),
        .out_valid(out_valid), .out_ready(out_ready), .out_payload({out_last, out_acc})
    );

endmodule

`default_nettype wire
