// SPDX-License-Identifier: MIT
// softmax_bytes_properties - what mlp_softmax promises, for a solver to refute
//
// Logits, stalls on both sides and resets are free from cycle to cycle. One vector, whichever the
// solver picks, is followed from its acceptance to its probabilities.

`default_nettype none

module softmax_bytes_properties #(
    parameter N          = 3,
    parameter LANES      = 3,
    parameter X_W        = 3,
    parameter FRAC       = 1,
    parameter SCORE      = "taylor2",
    parameter DIVIDER    = "reciprocal",
    parameter SCORE_W    = 5,
    parameter TOTAL_W    = 9,
    parameter EXP        = "",
    parameter RECIPROCAL = ""
) (
    input wire             clk,
    input wire             rst,
    input wire             in_valid,
    input wire [N*X_W-1:0] in_x,
    input wire             out_ready
);

    localparam CLASS_W = $clog2(N);
    localparam COUNT_W = 6;                 // the depth of a proof is below 64 cycles

    wire               in_ready;
    wire               out_valid;
    wire [N*8-1:0]     out_p;
    wire [CLASS_W-1:0] out_class;

    mlp_softmax #(
        .N(N), .LANES(LANES), .X_W(X_W), .FRAC(FRAC), .SCORE(SCORE), .DIVIDER(DIVIDER),
        .SCORE_W(SCORE_W), .TOTAL_W(TOTAL_W), .EXP(EXP), .RECIPROCAL(RECIPROCAL)
    ) u_softmax (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready), .in_x(in_x),
        .out_valid(out_valid), .out_ready(out_ready), .out_p(out_p), .out_class(out_class)
    );

    (* anyconst *) wire [COUNT_W-1:0] followed;

    reg                   started = 1'b0;
    reg [COUNT_W-1:0]     taken;            // vectors since the last reset
    reg [COUNT_W-1:0]     given;
    reg [N*X_W-1:0]       logits;           // of the vector that is followed
    reg                   stalled;
    reg [N*8+CLASS_W-1:0] previous;

    always @(posedge clk) begin
        started <= 1'b1;
        stalled <= out_valid && !out_ready && !rst;
        previous  <= {out_p, out_class};
        if (rst) begin
            taken <= {COUNT_W{1'b0}};
            given <= {COUNT_W{1'b0}};
        end else begin
            taken <= taken + (in_valid && in_ready);
            given <= given + (out_valid && out_ready);
        end
        if (in_valid && in_ready && taken == followed)
            logits <= in_x;
    end

    // The order of the scores: the polynomial's, or that of the logits, whose exponentials rise.
    integer score [0:N-1];
    integer k, x, best, sum;
    reg     on_top;

    always @* begin
        best = 0;
        sum  = 0;
        for (k = 0; k < N; k = k + 1) begin
            x = $signed(logits[k*X_W +: X_W]);
            score[k] = {64'd0, SCORE} == "exp" ? x : (x + (1 << FRAC)) * (x + (1 << FRAC));
            if (score[k] > score[best])
                best = k;
            sum = sum + out_p[k*8 +: 8];
        end
        on_top = 1'b1;
        for (k = 0; k < N; k = k + 1)
            if (out_p[k*8 +: 8] > out_p[best*8 +: 8]
                || (score[k] < score[best] && out_p[k*8 +: 8] == out_p[best*8 +: 8]))
                on_top = 1'b0;
    end

    always @(posedge clk) begin
        if (!started) begin
            assume (rst);
        end else if (!rst) begin
            if (stalled)
                stable_while_stalled: assert (out_valid && {out_p, out_class} == previous);
            if (out_valid)
                nothing_is_invented: assert (given != taken);
            if (out_valid && given == followed) begin
                sum_is_255: assert (sum == 255);
                first_largest_wins: assert (out_class == best);
                none_is_above_nor_a_smaller_equal: assert (on_top);
            end
        end
    end

endmodule

`default_nettype wire
