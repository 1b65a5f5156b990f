// mlp_stream_register - registers a stream both ways: neither valid nor ready passes through
//
//     out = in
//
// Golden model   the identity
// Stream         any payload; a stalled payload holds still
// Latency        1 cycle, one beat per cycle
//
// Two places: `out` and, for the beat that arrives while `out` is stalled, `spare`.

`default_nettype none

module mlp_stream_register #(
    parameter W = 8                     // bits of the payload
) (
    input  wire         clk,
    input  wire         rst,            // synchronous, active high

    input  wire         in_valid,
    output wire         in_ready,
    input  wire         in_last,
    input  wire [W-1:0] in_data,

    output reg          out_valid,
    input  wire         out_ready,
    output reg          out_last,
    output reg  [W-1:0] out_data
);

    reg         spare_valid;
    reg         spare_last;
    reg [W-1:0] spare_data;

    wire move = !out_valid || out_ready;

    assign in_ready = !spare_valid;

    always @(posedge clk) begin
        if (rst)
            out_valid <= 1'b0;
        else if (move)
            out_valid <= in_valid || spare_valid;
    end

    always @(posedge clk) begin
        if (rst)
            spare_valid <= 1'b0;
        else if (move)
            spare_valid <= 1'b0;
        else if (in_valid)
            spare_valid <= 1'b1;
    end

    always @(posedge clk) begin
        if (move) begin
            out_last <= spare_valid ? spare_last : in_last;
            out_data <= spare_valid ? spare_data : in_data;
        end
    end

    always @(posedge clk) begin
        if (in_ready) begin
            spare_last <= in_last;
            spare_data <= in_data;
        end
    end

endmodule

`default_nettype wire
