// SPDX-License-Identifier: MIT
// softmax_max_properties - mlp_softmax_max keeps the contract of streams
//
//     the logits, and the largest beside them

`default_nettype none

module softmax_max_properties #(
    parameter N        = 3,
    parameter LANES    = 1,
    parameter X_W      = 2,
    parameter CAPACITY = 2,
    parameter PATIENCE = 2
) (
    input wire             clk,
    input wire             rst,
    input wire             in_valid,
    input wire [N*X_W-1:0] in_x,
    input wire             out_ready
);

    wire             in_ready;
    wire             out_valid;
    wire [X_W-1:0]   out_max;
    wire [N*X_W-1:0] out_x;

    mlp_softmax_max #(.N(N), .LANES(LANES), .X_W(X_W)) u_dut (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready), .in_x(in_x),
        .out_valid(out_valid), .out_ready(out_ready), .out_max(out_max), .out_x(out_x)
    );

    reg signed [X_W-1:0] largest, x;
    integer k;

    always @* begin
        largest = $signed(in_x[X_W-1:0]);
        for (k = 1; k < N; k = k + 1) begin
            x = $signed(in_x[k*X_W +: X_W]);
            if (x > largest)
                largest = x;
        end
    end

    stream_contract #(
        .W((N+1)*X_W), .CAPACITY(CAPACITY), .PATIENCE(PATIENCE)
    ) u_contract (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready),
        .in_first(1'b1), .in_last(1'b1), .in_good(1'b1), .promised({largest, in_x}),
        .out_valid(out_valid), .out_ready(out_ready), .out_payload({out_max, out_x})
    );

endmodule

`default_nettype wire
